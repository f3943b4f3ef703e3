"""`throughline audit replay`: every trace and the roster, from a bundle alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import orjson
import typer

from services.recommendations.trace import SHAPE
from tools.audit.digest_comparison import Digest
from tools.cli.audit.bundle_replay import PROCESSES, Processes, print_some, replayed
from tools.cli.audit.options import Folder
from tools.cli.options import read_day, read_stamp
from tools.client.connection import Format
from tools.client.errors import REFUSED, BadInput, exits
from tools.files import NotAFile, look_at_folder, write_below
from tools.render.terminal import print_json, print_line
from tools.replay.roster import roster_bytes

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Facts up to this day in the world.")]
KnownAt = Annotated[str | None, typer.Option("--known-at", metavar="TIME", help="Facts recorded by this time.")]


def replay(
    folder: Folder,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write traces and roster there.")] = None,
    processes: Processes = PROCESSES,
    shown_as: Format = "text",
) -> None:
    """Rebuild every trace and the roster from a bundle alone: no Kafka, no database, no service.

    Example: throughline audit replay bundle --out rebuilt --known-at 2026-01-31T12:00:00Z

    `--out` writes `traces/CED/2022/R1.json` (the compared bytes of each trace), `traces.json` (their digests) and
    `roster.json`. Run `throughline audit verify` first: this command takes the bundle for what it is.

    Exit code: 0; 1 when an event cannot be read or a stream breaks off; 2 for bad input, a folder that is no bundle.
    """
    with exits():
        day, moment = read_day("--as-of", as_of), read_stamp("--known-at", known_at)
        if out is not None:
            look_at_folder(out)
        digests, replayer = replayed(folder, day, moment, out, processes)
        report, roster = replayer.report, roster_bytes(replayer.report.roster)
        if out is not None:
            _write(out, digests, roster)
    digest = hashlib.sha256(
        "".join(f"{name} {digests[name].digest}\n" for name in sorted(digests)).encode()
    ).hexdigest()
    unreadable = (f"{at} ({reason})" for at, reason in report.poison)
    without_trace = (f"{reference} has no trace: {fault}" for reference, fault in report.faults.items())
    faults = [*unreadable, *report.stalled, *without_trace]
    if shown_as == "json":
        print_json(
            {
                "events": report.events, "traces": len(digests), "memberships": len(report.roster), "shape": SHAPE,
                "digest": digest, "roster_digest": hashlib.sha256(roster).hexdigest(), "faults": faults,
            }
        )  # fmt: skip
    else:
        print_line(f"{report.events} events: {len(digests)} traces, {len(report.roster)} memberships.")
        print_line(f"digest of the traces: {digest}")
        print_line(f"digest of the roster: {hashlib.sha256(roster).hexdigest()}")
        print_some("Not readable or broken off", faults)
    if faults:
        raise typer.Exit(REFUSED)


def _write(out: Path, digests: dict[str, Digest], roster: bytes) -> None:
    traces = {name: {"digest": each.digest, "based_on": each.based_on} for name, each in sorted(digests.items())}
    try:
        write_below(out, "roster.json", roster)
        write_below(out, "traces.json", orjson.dumps({"shape": SHAPE, "traces": traces}))
    except NotAFile as fault:
        raise BadInput(f"{fault}.") from None
