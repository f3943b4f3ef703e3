"""`throughline audit diff`: the changes of each trace between two times of recording."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from services.recommendations.trace import trace_bytes
from shared.projection.natural_order import natural_order
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.bundle_replay import open_replay
from tools.audit.trace_diff import describe_changes
from tools.cli.audit.options import Folder
from tools.cli.options import read_stamp
from tools.client.connection import Format
from tools.client.errors import BadInput, exits
from tools.client.progress import bar
from tools.render.terminal import print_json, print_line


def diff(
    folder: Folder,
    between: Annotated[tuple[str, str], typer.Option("--between", metavar="T1 T2", help="Two times of recording.")],
    shown_as: Format = "text",
) -> None:
    """Describe what changed in each trace between two times of recording.

    Example: throughline audit diff bundle --between 2025-12-31T00:00:00Z 2026-06-30T00:00:00Z

    Exit code: 0, also when nothing changed; 2 for bad input, a folder that is no bundle.
    """
    with exits():
        first, second = (read_stamp("--between", each) for each in between)
        if first is None or second is None or first > second:
            raise BadInput("--between: the second time is not after the first.")
        changed = _changed(folder, first, second)
    if shown_as == "json":
        print_json(changed)
        return
    if not changed:
        print_line("No trace changed between the two.")
    for reference in sorted(changed, key=natural_order):
        print_line(reference)
        for line in changed[reference]:
            print_line(f"  {line}")


def _changed(folder: Path, first: str, second: str) -> dict[str, list[str]]:
    def packed(_reference: str, trace: dict[str, Any]) -> bytes:
        return zlib.compress(trace_bytes(trace), 1)

    try:
        with bar("Replaying") as advance, open_replay(Bundle(folder), advance, known_at=first) as replayer:
            before = dict(replayer.run(packed))
            replayer.known_at = second
            after = replayer.run(lambda reference, trace: _differences(before.get(reference), trace))
            return {reference: lines for reference, lines in after if lines}
    except NotReadable as fault:
        raise BadInput(f"{fault}.") from None


def _differences(before: bytes | None, after: dict[str, Any]) -> list[str]:
    first, second = zlib.decompress(before) if before else None, trace_bytes(after)
    return describe_changes(orjson.loads(first) if first else None, orjson.loads(second)) if first != second else []
