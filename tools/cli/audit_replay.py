"""`throughline audit replay`, `compare`, `diff`: what a bundle amounts to, without any server."""

from __future__ import annotations

import hashlib
import os
import zlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from services.recommendations.trace import SHAPE, trace_bytes
from shared.events.envelope import stamp
from shared.http.query_times import Day, Moment
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.bundle_replay import TraceWriter, open_replay, trace_digest
from tools.audit.digest_comparison import (
    Comparison,
    Digest,
    compare_with_export,
    compare_with_live,
    exported_digests,
    live_digests,
)
from tools.audit.trace_diff import describe_changes
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import REFUSED, BadInput, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.local.stack import DEFAULT_HOME
from tools.replay.replaying import Replaying
from tools.replay.roster import roster_bytes

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="An export bundle.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Facts up to this day in the world.")]
KnownAt = Annotated[str | None, typer.Option("--known-at", metavar="TIME", help="What was recorded by this time.")]
Processes = Annotated[int, typer.Option("--processes", min=1, max=64, help="How many processes share the work.")]
console = Console()
_DAY, _MOMENT = TypeAdapter[date](Day), TypeAdapter[datetime](Moment)
_LISTED = 10


def replay(
    folder: Folder,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write traces and roster there.")] = None,
    processes: Processes = min(2, os.cpu_count() or 1),
    shown_as: Format = "text",
) -> None:
    """Rebuild every trace and the roster from a bundle alone: no Kafka, no database, no service.

    Example: throughline audit replay bundle --out rebuilt --known-at 2026-01-31T12:00:00Z

    `--out` writes `traces/CED/2022/R1.json` (the compared bytes of each trace), `traces.json` (their digests) and
    `roster.json`. Run `throughline audit verify` first: this command takes the bundle for what it is.

    Exit code: 0; 1 when an event cannot be read or a stream breaks off; 2 for bad input, a folder that is no bundle.
    """
    with exits():
        day, moment = _day(as_of), _moment(known_at)
        found, told = _replayed(folder, day, moment, out, processes)
    digest = hashlib.sha256("".join(f"{name} {found[name].digest}\n" for name in sorted(found)).encode()).hexdigest()
    roster = roster_bytes(told.told.roster)
    if out is not None:
        _write(out, found, roster)
    faults = [*(f"{at} ({reason})" for at, reason in told.told.poison), *told.told.stalled]
    if shown_as == "json":
        _echo(
            {
                "events": told.told.events, "traces": len(found), "memberships": len(told.told.roster), "shape": SHAPE,
                "digest": digest, "roster_digest": hashlib.sha256(roster).hexdigest(), "faults": faults,
            }
        )  # fmt: skip
    else:
        _say(f"{told.told.events} events: {len(found)} traces, {len(told.told.roster)} memberships.")
        _say(f"digest of the traces: {digest}")
        _say(f"digest of the roster: {hashlib.sha256(roster).hexdigest()}")
        _some("Not readable or broken off", faults)
    if faults:
        raise typer.Exit(REFUSED)


def compare(
    folder: Folder,
    offline: Annotated[bool, typer.Option("--offline", help="Beside the export's own digests only.")] = False,
    processes: Processes = min(2, os.cpu_count() or 1),
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Rebuild every trace from a bundle, and set it beside the digests in it and beside the live ones.

    Example: throughline audit compare bundle --offline

    A live trace is compared where it rests on the same versions; those that rest on later ones are listed as newer.

    Exit code: 0 when all that could be compared are identical; 1 when one differs, is missing or lags behind, or when
    another version of this program composed them; 2 for bad input; 3 when the service does not answer.
    """
    with exits():
        said = _exported(folder)
        found, _ = _replayed(folder, None, None, None, processes)
        comparisons = {"export": compare_with_export(found, said)}
        if not offline:
            with Services(Connection(home, token), "auditor") as services:
                traces = live_digests(services.pages("recommendations", "/traces"))
                comparisons["live"] = compare_with_live(found, traces)
    if shown_as == "json":
        _echo({name: vars(each) | {"holds": each.holds} for name, each in comparisons.items()})
    else:
        for name, each in comparisons.items():
            _verdict("the export's digests" if name == "export" else "the live traces", each)
    if not all(each.holds for each in comparisons.values()):
        raise typer.Exit(REFUSED)


def diff(
    folder: Folder,
    between: Annotated[tuple[str, str], typer.Option("--between", metavar="T1 T2", help="Two times of recording.")],
    shown_as: Format = "text",
) -> None:
    """Say in words what changed in each trace between two moments: what was known then, and what was known later.

    Example: throughline audit diff bundle --between 2025-12-31T00:00:00Z 2026-06-30T00:00:00Z

    Exit code: 0, also when nothing changed; 2 for bad input, a folder that is no bundle.
    """
    with exits():
        first, second = (_moment(each) for each in between)
        if first is None or second is None or first > second:
            raise BadInput("--between: the second time is not after the first.")
        found = _changed(folder, first, second)
    if shown_as == "json":
        _echo(found)
    elif not found:
        _say("No trace changed between the two.")
    for reference, lines in () if shown_as == "json" else sorted(found.items()):
        _say(reference)
        for line in lines:
            _say(f"  {line}")


def _replayed(
    folder: Path, as_of: date | None, known_at: str | None, out: Path | None, processes: int
) -> tuple[dict[str, Digest], Replaying]:
    """Return the digests of all traces, and the replay that made them. Raises BadInput."""
    try:
        with bar("Replaying") as advance, open_replay(Bundle(folder), advance, as_of, known_at) as found:
            made = found.run(TraceWriter(out) if out else trace_digest, processes)
            return {reference: Digest(*each) for reference, each in made}, found
    except NotReadable as fault:
        raise BadInput(f"{fault}.") from None


def _changed(folder: Path, first: str, second: str) -> dict[str, list[str]]:
    def packed(_reference: str, trace: dict[str, Any]) -> bytes:
        return zlib.compress(trace_bytes(trace), 1)

    try:
        with bar("Replaying") as advance, open_replay(Bundle(folder), advance, known_at=first) as found:
            before = dict(found.run(packed))
            found.known_at = second
            after = found.run(lambda reference, trace: _told(before.get(reference), trace))
            return {reference: lines for reference, lines in after if lines}
    except NotReadable as fault:
        raise BadInput(f"{fault}.") from None


def _told(before: bytes | None, after: dict[str, Any]) -> list[str]:
    was, now = zlib.decompress(before) if before else None, trace_bytes(after)
    return describe_changes(orjson.loads(was) if was else None, orjson.loads(now)) if was != now else []


def _exported(folder: Path) -> dict[str, Digest]:
    try:
        return exported_digests(Bundle(folder))
    except NotReadable as fault:
        raise BadInput(f"{fault}.") from None
    except (KeyError, TypeError, AttributeError):
        raise BadInput(f"{folder}: its traces.json is not that of an export.") from None


def _write(out: Path, found: dict[str, Digest], roster: bytes) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "roster.json").write_bytes(roster)
    traces = {name: {"digest": each.digest, "based_on": each.based_on} for name, each in sorted(found.items())}
    (out / "traces.json").write_bytes(orjson.dumps({"shape": SHAPE, "traces": traces}))


def _verdict(beside: str, each: Comparison) -> None:
    if each.other_shape is not None:
        _say(f"not comparable: {beside} were composed with shape {each.other_shape}, this program has shape {SHAPE}.")
        return
    _some(f"Missing in {beside}", each.missing)
    _some(f"In {beside}, and not made by these events", each.unexpected)
    _some("Newer than the bundle, not compared", each.newer)
    _some("Older than the bundle", each.older)
    _some(f"Different from {beside}", each.different)
    _say(f"{'identical' if each.holds else 'identical otherwise'}: {each.identical} traces beside {beside}")


def _day(text: str | None) -> date | None:
    try:
        return _DAY.validate_python(text) if text is not None else None
    except ValidationError:
        raise BadInput(f"--as-of {text}: is not a day; write YYYY-MM-DD.") from None


def _moment(text: str | None) -> str | None:
    try:
        return stamp(_MOMENT.validate_python(text).astimezone(UTC)) if text is not None else None
    except ValidationError:
        raise BadInput(f"{text}: is not a time; write it as in 2026-01-31T12:00:00Z.") from None


def _some(says: str, items: list[str]) -> None:
    if items:
        more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
        _say(f"{says}: {', '.join(items[:_LISTED])}{more}.")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _echo(content: Any) -> None:
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
