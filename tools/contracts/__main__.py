"""Write the JSON Schemas and AsyncAPI documents, or with `--check` say where those in git have drifted."""

from __future__ import annotations

import argparse
import sys

from tools.contracts.files import drift, write


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when all is as generated, 1 when `--check` found a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.contracts", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, name what differs, exit 1 if anything does"
    )
    if not parser.parse_args(arguments).check:
        changed = write()
        print(f"{changed} generated files changed" if changed else "every generated file is as it was")
        return 0
    differences = list(drift())
    for path, difference in differences:
        print(f"{path} {difference}: run `make schemas`, and look at what changes", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
