"""Write the JSON Schemas, AsyncAPI documents and api.json, or with `--check` name the files in git that differ."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.contracts.files import CHECKOUT, drift, write


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if every file is as generated, 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.contracts", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, name what differs, exit 1 if anything does"
    )
    parser.add_argument("--root", type=Path, default=CHECKOUT, help="the checkout whose files to write or check")
    options = parser.parse_args(arguments)
    if not options.check:
        changed = write(options.root)
        print(f"{changed} generated files changed" if changed else "no generated file changed")
        return 0
    differences = list(drift(options.root))
    for path, difference in differences:
        print(f"{path} {difference}: run `make schemas`, and review the changes", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
