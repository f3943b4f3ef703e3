"""`throughline import record`: a whole record, checked first, then loaded row by row, each row once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tools.cli.options import finite, read_text
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import BAD_INPUT, REFUSED, StoppedByUser, Unreachable, exits, say
from tools.client.progress import bar
from tools.client.services import PATIENCE_SECONDS, Services
from tools.client.stack_home import DEFAULT_HOME
from tools.client.wait import wait_for_traces
from tools.record.checking import CheckedRecord, check
from tools.record.faults import Fault, RecordRefused
from tools.record.loading import Load, Outcome, Report
from tools.render.console import Console
from tools.render.terminal import print_json, print_line

console = Console()
_SHOWN_OF_A_KIND = 5


def record(
    file: Annotated[Path, typer.Argument(help="YAML, or JSON by its suffix; docs/record-format.md describes it.")],
    members: Annotated[Path | None, typer.Option(help="Register of members; escap_members.csv beside FILE.")] = None,
    instruments: Annotated[Path | None, typer.Option(help="Instruments; instruments.csv beside FILE.")] = None,
    correct: Annotated[
        str | None, typer.Option(metavar="REASON", help="Correct rows that are on record with other facts.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    patience: Annotated[
        float,
        typer.Option(
            min=0, callback=finite, help="Seconds to retry where a service has not consumed an event yet, or is down."
        ),
    ] = PATIENCE_SECONDS,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Load a record: any error in the file sends nothing, a row that is on record is left as it is.

    Example: throughline import record shared/reference/public_record.yaml

    An interrupted load is resumed by running it again. A row that is on record with other facts is reported and left,
    unless --correct gives the reason of a correction.

    Exit code: 0 when every row is on record as the file has it; 1 when a row was refused or differs; 2 when the file
    has errors, or other bad input; 3 when a service does not answer; 130 after Ctrl-C, with how far it came.
    """
    with exits():
        reason = None if correct is None else read_text("--correct", correct)
        checked = _checked(file, members, instruments, shown_as)
        connection = Connection(home, token)
        for service in {row.row.service for row in checked.rows}:
            connection.url(service)
        with Services(connection, "secretariat", patience, patience) as services:
            report = load(checked, services, reason, dry_run)
            if not dry_run:
                _await_traces(services, report, patience)
        show(checked, report, shown_as, dry_run)
    if report.not_loaded:
        raise typer.Exit(REFUSED)


def load(checked: CheckedRecord, services: Services, correct: str | None = None, dry_run: bool = False) -> Report:
    """Load a checked record. Raises Refused, and Unreachable, which says how many rows were loaded."""
    run = Load(checked, services, correct, dry_run)
    with bar("Comparing" if dry_run else "Loading") as advance:
        try:
            return run.run(lambda _: advance(len(run.report.outcomes), len(checked.rows)))
        except Unreachable as failure:
            raise Unreachable(f"{failure}\n{_stopped(run)}") from None
        except KeyboardInterrupt:
            raise StoppedByUser(_stopped(run)) from None


def _await_traces(services: Services, report: Report, patience: float) -> None:
    try:
        shown = wait_for_traces(services, report.heads, patience)
    except KeyboardInterrupt:
        raise StoppedByUser("Every row was sent; the traces do not show all of it yet.") from None
    if not shown:
        say("The traces do not show all of it yet; they will: throughline dead-letters list shows what waits.")


def _stopped(run: Load) -> str:
    return f"Stopped after {len(run.report.outcomes)} of {len(run.record.rows)} rows: run it again to resume."


def _checked(file: Path, members: Path | None, instruments: Path | None, shown_as: str) -> CheckedRecord:
    try:
        return check(file, members, instruments)
    except RecordRefused as refusal:
        if shown_as == "json":
            print_json({"errors": [asdict(fault) for fault in refusal.faults]})
        for line in _by_kind(refusal.faults):
            say(line)
        count = len(refusal.faults)
        say(f"{file.name}: {count} error{'s' if count > 1 else ''}; nothing was sent.")
        raise typer.Exit(BAD_INPUT) from None


def _by_kind(faults: Sequence[Fault]) -> Iterator[str]:
    """Describe faults: the first few of each rule, then how many more there are."""
    seen: Counter[str] = Counter()
    for fault in faults:
        seen[fault.rule] += 1
        if seen[fault.rule] <= _SHOWN_OF_A_KIND:
            yield str(fault)
    for rule, count in seen.items():
        if more := max(0, count - _SHOWN_OF_A_KIND):
            last = next(fault for fault in reversed(faults) if fault.rule == rule)
            yield f"{rule}: {more} more, the last at {last.where}; --format json lists them all"


_WOULD = {"loaded": "would be sent", "corrected": "would be corrected"}


def show(checked: CheckedRecord, report: Report, shown_as: str = "text", dry_run: bool = False) -> None:
    """Print the outcome of a load: each row that was not plainly loaded, and the counts by section."""
    if shown_as == "json":
        rows = [_as_json(outcome) for outcome in report.outcomes]
        content = {"record": checked.name, "dry_run": dry_run, "counted": report.counted(), "rows": rows}
        print_json(content)
        return
    for outcome in report.outcomes:
        if outcome.says or (dry_run and outcome.standing == "loaded"):
            _print(outcome, dry_run)
    console.print(_summary(checked, report, dry_run))


def _print(outcome: Outcome, dry_run: bool) -> None:
    standing = _WOULD.get(outcome.standing, outcome.standing) if dry_run else outcome.standing
    print_line(f"{outcome.path}: {standing}")
    for line in outcome.says:
        print_line(f"    {line}")


def _summary(checked: CheckedRecord, report: Report, dry_run: bool) -> Table:
    standings: Sequence[str] = ("loaded", "corrected", "unchanged", "differs", "refused", "held back")
    counted = report.counted()
    shown = [standing for standing in standings if counted[standing] or standing in ("loaded", "unchanged")]
    table = Table("section", *(_WOULD.get(name, name) if dry_run else name for name in shown), title=checked.name)
    sections = dict.fromkeys(_section(outcome) for outcome in report.outcomes)
    for section in sections:
        by_standing = Report([outcome for outcome in report.outcomes if _section(outcome) == section]).counted()
        table.add_row(section, *(str(by_standing[name] or "") for name in shown))
    table.add_section()
    table.add_row("all rows", *(str(counted[name]) for name in shown))
    return table


def _section(outcome: Outcome) -> str:
    return outcome.path.partition("[")[0].removesuffix(".csv").replace("_", " ")


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "path": outcome.path, "stream": outcome.stream, "standing": outcome.standing, "says": list(outcome.says)
    }  # fmt: skip
