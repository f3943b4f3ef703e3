"""`make demo`: the public record through the services, over Kafka, to two traces; replayed, exported, verified."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from shared.events.catalogue import SERVICES
from tools.audit.bundle import Bundle
from tools.audit.bundle_replay import open_replay, trace_digest
from tools.audit.digest_comparison import Digest, compare_with_export, exported_digests
from tools.audit.exporting import export
from tools.audit.http_source import HttpSource
from tools.audit.report import as_text
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify
from tools.cli.dead_letters import find
from tools.cli.import_record import load, show
from tools.cli.replay import in_words, run
from tools.client import local_console
from tools.client.connection import Connection
from tools.client.errors import Failure
from tools.client.log_keys import log_trust
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.client.tokens import mint
from tools.client.wait import wait_for_traces
from tools.files import CHECKOUT
from tools.local.messages import CannotStart
from tools.local.stack import Stack, temporary
from tools.record.checking import check
from tools.record.faults import RecordRefused
from tools.render.console import Console
from tools.render.page import WIDTH
from tools.render.trace_text import plain_text, trace_text

RECORD = CHECKOUT / "shared/reference/public_record.yaml"
REFERENCES = ("CED/2022/R1", "CED/2020/R1")
PATIENCE_SECONDS = 60.0


class NotAsExpected(Failure):
    """A result of the demonstration that is not the expected one."""


def main() -> int:
    """Run the demonstration on servers of its own, and stop them at the end, whatever happens."""
    try:
        with temporary() as stack:
            Demonstration(stack).run()
    except KeyboardInterrupt:
        print("\nStopped; nothing runs any more.", file=sys.stderr)
        return 130
    except (CannotStart, RecordRefused, Failure) as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    return 0


class Demonstration:
    """The steps, each with a heading; the first that fails ends it."""

    def __init__(self, stack: Stack, console: Console | None = None) -> None:
        wide = Console()
        self._stack = stack
        self._console = console or (wide if wide.is_terminal else Console(width=WIDTH))
        self._connection = Connection(stack.home, quiet=True)

    def run(self) -> None:
        """Load, show, nominate, check for dead letters, replay, export and verify."""
        self._load()
        self._show_traces()
        self._nominate()
        self._check_dead_letters()
        self._replay()
        self._export()

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)

    def _step(self, title: str) -> None:
        self._say(f"\n=== {title}", style="bold blue")

    def _load(self) -> None:
        self._step("The public record, loaded through the services' own HTTP commands")
        checked = check(RECORD)
        with Services(self._connection, "secretariat", PATIENCE_SECONDS, PATIENCE_SECONDS) as services:
            report = load(checked, services)
            show(checked, report)
            if report.not_loaded:
                raise NotAsExpected("The public record was not loaded whole.")
            if not wait_for_traces(services, report.heads, PATIENCE_SECONDS):
                raise NotAsExpected(f"The traces do not show the record after {PATIENCE_SECONDS:.0f} s.")

    def _show_traces(self) -> None:
        with Services(self._connection, "auditor") as services:
            for reference in REFERENCES:
                self._step(f"The trace of {reference}, read from MongoDB")
                answer = services.get("recommendations", f"/traces/{reference}")
                if self._console.is_terminal:
                    self._console.print(trace_text(answer["trace"], answer["today"]))
                else:
                    self._say(plain_text(answer["trace"], answer["today"]).rstrip())
                if unmet := list(unmet_expectations(answer["trace"])):
                    raise NotAsExpected("\n".join(unmet))

    def _nominate(self) -> None:
        self._step("SYNTHETIC: a nomination (the public record names no experts)")
        nomination = f"synthetic-{uuid4()}"
        with Services(self._connection, "secretariat") as office:
            office.post("nominations", "/calls", {"call": nomination, "title": "Synthetic call"}, str(uuid4()))
            self._say("SYNTHETIC: the secretariat opened a call for nominations.")
            self._submit(nomination)
            self._say("SYNTHETIC: a focal point nominated an expert, whose name is sealed.")
            office.post("nominations", f"/nominations/{nomination}/accept", {}, str(uuid4()))
            self._say("SYNTHETIC: the secretariat registered the nomination.")
            self._say(f"SYNTHETIC: by policy a membership began: {self._membership(office, nomination)}.")

    def _submit(self, nomination: str) -> None:
        token = mint(self._stack.home, role="focal_point", subject="synthetic-focal-point", member="FJI")
        with Services(Connection(self._stack.home, token, quiet=True), "focal_point") as government:
            body = {
                "nomination": nomination,
                "call": nomination,
                "member": "FJI",
                "details": {"name": "Synthetic Expert", "contact": "synthetic.expert@example.org"},
                "note_verbale": {"channel": "note_verbale", "reference": "SYNTHETIC/1"},
                "institution": "Synthetic institution",
                "category": "academia",
            }
            government.post("nominations", "/nominations", body, str(uuid4()))

    def _membership(self, office: Services, nomination: str) -> str:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            memberships: list[Any] = office.get("nominations", "/memberships", nomination=nomination)["items"]
            if memberships:
                return str(memberships[0]["stream"])
            time.sleep(0.2)
        raise NotAsExpected("No membership began.")

    def _check_dead_letters(self) -> None:
        self._step("Dead letters")
        with Services(self._connection, "operator") as services:
            dead_letters = find(services, SERVICES)
        if dead_letters:
            raise NotAsExpected(f"There are {len(dead_letters)} dead letters, the first {dead_letters[0]['_id']}.")
        self._say("No dead letters.")

    def _replay(self) -> None:
        self._step("Every trace rebuilt from Kafka, from the first event, and compared with the live one")
        with Services(self._connection, "auditor") as services:
            done = run(services, self._stack.kafka, log_trust(self._stack.home), compared=True)
        for line in in_words(done, "kafka"):
            self._say(line, style="bold green" if line.startswith("identical") else "")
        if done.verdict is None or not done.verdict.holds or not set(REFERENCES) <= set(done.verdict.identical):
            raise NotAsExpected("The live traces are not proven to be what the history makes.")

    def _export(self) -> None:
        self._step("The whole record exported, then verified offline: from its files alone")
        folder = self._stack.home / "export"
        with Services(self._connection, "auditor") as services:
            source = HttpSource(services)
            if late := [service for service in SERVICES if not source.wait_for_checkpoint(service, PATIENCE_SECONDS)]:
                raise NotAsExpected(f"No checkpoint covers all the events of {late[0]}.")
            done = export(source, folder, SERVICES, bar)
        verified = verify(Bundle(folder), TrustedKeys(tuple(done.keys.values())))
        for line in as_text(verified):
            self._say(line, style="bold green" if line.startswith("verified") else "")
        if not verified.holds:
            raise NotAsExpected("The export is not verified.")
        self._replay_export(Bundle(folder))

    def _replay_export(self, bundle: Bundle) -> None:
        self._step("Every trace rebuilt once more, from the export alone")
        with open_replay(bundle) as replayer:
            rebuilt = {reference: Digest(*each) for reference, each in replayer.run(trace_digest)}
        comparison = compare_with_export(rebuilt, exported_digests(bundle))
        if not comparison.holds or not set(REFERENCES) <= rebuilt.keys():
            raise NotAsExpected("The export does not make the traces whose digests are in it.")
        self._say(f"{replayer.report.events} events: {len(rebuilt)} traces, {len(replayer.report.roster)} memberships.")
        self._say(f"identical with the export's digests: {comparison.identical} traces", style="bold green")
        self._say(f"\n{next_step(Path(os.environ.get('THROUGHLINE_HOME') or DEFAULT_HOME))}")


def next_step(home: Path) -> str:
    """Return how to see it in a browser; the console's address is known where a stack was started in a home before."""
    try:
        address = f"prints the address of its web console, {local_console.address(home)} again if that is free"
    except KeyError:
        address = "prints the address of its web console"
    return f"make up keeps a stack running, and {address}: sign in there as anybody."


def unmet_expectations(trace: dict[str, Any]) -> Iterator[str]:
    """Yield the expectations that a trace of the public record does not meet."""
    reference = trace["recommendation"]["reference"]
    expected = _EXPECTED[reference]
    actual = {
        "coverage": trace["coverage"],
        "citations": sorted(f"{item['standing']} {item['status']}" for item in trace["mandates"]),
        "meetings": [step["meeting"] for step in trace["work"] if "meeting" in step],
        "sessions": [item["session"] for item in trace["transmission"]],
        "dispositions": [(item["outcome"], item.get("on")) for item in trace["dispositions"]],
        "evidence": sum("evidence" in item for item in trace["follow_up"]),
        "suspect": [
            (item["instrument"], why["superseded_by"], why.get("on"), why["status"])
            for item in trace["mandates"]
            for why in item.get("why", ())
        ],
    }
    for name, value in expected.items():
        if actual[name] != value:
            yield f"{reference}: {name} should be {value}, and is {actual[name]}."
    for words in _GAPS[reference]:
        if not any(words in gap for gap in trace["gaps"]):
            yield f"{reference}: no gap says {words!r}."


_EXPECTED: dict[str, dict[str, Any]] = {
    "CED/2022/R1": {
        "coverage": "deep",
        "citations": ["live inferred"] * 4,
        "meetings": ["preparatory-2022-03-18", "expert-group-2022-06-22"],
        "sessions": [7],
        "dispositions": [("endorsed", "2022-12-01")],
        "evidence": 5,
        "suspect": [],
    },
    "CED/2020/R1": {
        "coverage": "shallow",
        "citations": ["live verified"] * 5 + ["suspect verified"],
        "sessions": [6],
        "dispositions": [("unknown", None)],
        "suspect": [("commission-resolution-71-1", "commission-resolution-78-2", "2022-05-27", "inferred")],
    },
}
_ADOPTION = "does not say at which meeting it was adopted"
_GAPS = {"CED/2022/R1": (_ADOPTION,), "CED/2020/R1": (_ADOPTION, "What session 6 of the Committee did with it")}


if __name__ == "__main__":
    sys.exit(main())
