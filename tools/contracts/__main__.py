"""Write the JSON Schemas and AsyncAPI documents, or with `--check` say where those in git have drifted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.contracts.files import CHECKOUT, drift, write


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when all is as generated, 1 when `--check` found a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.contracts", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, name what differs, exit 1 if anything does"
    )
    parser.add_argument("--root", type=Path, default=CHECKOUT, help="the checkout whose files are meant")
    asked = parser.parse_args(arguments)
    if not asked.check:
        changed = write(asked.root)
        print(f"{changed} generated files changed" if changed else "every generated file is as it was")
        return 0
    differences = list(drift(asked.root))
    for path, difference in differences:
        print(f"{path} {difference}: run `make schemas`, and look at what changes", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
