"""A replay of a bundle for the audit commands: every trace again, from files alone."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tools.audit.bundle import Bundle, NotReadable
from tools.audit.bundle_replay import TraceWriter, open_replay, trace_digest
from tools.audit.digest_comparison import Digest
from tools.client.errors import BadInput
from tools.client.progress import bar
from tools.files import NotAFile
from tools.render.terminal import print_line
from tools.replay.replayer import Replayer

Processes = Annotated[int, typer.Option("--processes", min=1, max=64, help="How many processes share the work.")]
PROCESSES = min(2, os.cpu_count() or 1)
_LISTED = 10


def replayed(
    folder: Path, as_of: date | None, known_at: str | None, out: Path | None, processes: int
) -> tuple[dict[str, Digest], Replayer]:
    """Replay a bundle; return the digests of all traces, and the replayer. Raises BadInput."""
    try:
        with bar("Replaying") as advance, open_replay(Bundle(folder), advance, as_of, known_at) as replayer:
            digests = replayer.run(TraceWriter(out) if out else trace_digest, processes)
            return {reference: Digest(*digest) for reference, digest in digests}, replayer
    except (NotReadable, NotAFile) as fault:
        raise BadInput(f"{fault}.") from None


def print_some(says: str, items: list[str]) -> None:
    """Print the first items of a list, and how many there are more; nothing where it is empty."""
    if items:
        more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
        print_line(f"{says}: {', '.join(items[:_LISTED])}{more}.")
