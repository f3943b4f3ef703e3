"""`throughline void` says what is voided and which traces rest on it; an import leaves what is void as it is."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest

from shared.events.catalogue import EVENTS
from shared.events.event import Event
from shared.store.voiding import VoidRecord
from tests.cli.terminal import output_of, throughline
from tests.cli.test_import import a_new_record, events_of, recommendation_of
from tests.record.synthetic import written
from tools.cli.void import _place
from tools.client.connection import Connection
from tools.client.errors import Unreachable
from tools.client.services import Services
from tools.local.stack import Stack


@pytest.mark.parametrize("stream", ["instrument", "nobody/x", "instrument/../x", "instrument/a b", "instrument/"])
def test_what_is_no_stream_is_bad_input(stream: str):
    result = throughline(None, "void", stream, "1", "--reason", "Synthetic", "--yes")
    assert result.exit_code == 2
    assert "KIND/ID" in result.output


@pytest.mark.parametrize(
    "event", [event for event in EVENTS.values() if event.begins], ids=lambda event: event.__name__
)
def test_every_kind_of_stream_has_its_route(event: type[Event]):
    assert event.begins is not None
    service, path = _place(f"{event.begins[0]}/x")
    routes = import_module(f"services.{service}.api").COMMAND_ROUTES
    paths = {re.sub(r"\{.*\}", "x", route.path) for route in routes if route.command is VoidRecord}
    assert (service, f"{path}/void" in paths) == (event.service, True)


def test_where_the_dependants_cannot_be_asked_it_says_so(monkeypatch: pytest.MonkeyPatch):
    def silent(*_: object, **__: object) -> None:
        raise Unreachable("recommendations does not answer")

    monkeypatch.setattr(Services, "get", silent)
    services = Services.__new__(Services)
    assert services.dependants("instrument/a") == (
        "Which traces rest on instrument/a could not be asked: recommendations does not answer"
    )


@pytest.mark.servers
def test_a_void_event_is_gone_from_the_trace_and_a_load_leaves_it_void(stack: Stack, tmp_path: Path):
    record = a_new_record()
    file, stream = written(tmp_path, record), recommendation_of(record)
    assert throughline(stack, "import", "record", str(file)).exit_code == 0
    version = events_of(stack, "recommendations", stream).index("CommitteeDispositionRecorded") + 1
    done = throughline(stack, "void", stream, str(version), "--reason", "Synthetic mistake", "--yes")
    assert done.exit_code == 0, done.output
    reference = stream.partition("/")[2]
    assert f"Version {version} of {stream} is CommitteeDispositionRecorded" in done.output
    assert f"Traces that rest on {stream}: {reference}." in done.output
    again = throughline(stack, "import", "record", str(file), "--format", "json", "--correct", "Synthetic")
    differing = [row for row in json.loads(again.stdout)["rows"] if row["standing"] != "unchanged"]
    assert [row["standing"] for row in differing] == ["differs"]
    void = len(events_of(stack, "recommendations", stream))
    assert differing[0]["says"][-1].endswith(f"throughline void {stream} {void} --reason TEXT can")
    refused = throughline(stack, "void", stream, str(version), "--reason", "Synthetic mistake", "--yes")
    assert (refused.exit_code, "VersionIsVoid" in refused.output) == (1, True)
    nothing = throughline(stack, "void", stream, str(void), "--reason", "Synthetic second thoughts")
    assert (nothing.exit_code, "Nothing was voided: answer y, or give --yes." in output_of(nothing)) == (2, True)
    assert (
        throughline(stack, "void", stream, str(void), "--reason", "Synthetic second thoughts", "--yes").exit_code == 0
    )
    assert throughline(stack, "import", "record", str(file)).exit_code == 0


@pytest.mark.servers
def test_a_void_of_an_adopted_text_is_refused_and_says_what_to_void_first(stack: Stack):
    reference = f"SYN/2031/R{uuid4().int % 90_000 + 1}"
    stream, one = f"recommendation/{reference}", f"/recommendations/{reference}"
    with Services(Connection(stack.home, quiet=True), "secretariat") as services:
        for path, body in (
            ("/recommendations", {"reference": reference, "title": "Synthetic"}),
            (f"{one}/revise", {"title": "Synthetic, revised"}),
            (f"{one}/adopt", {"status": "unknown", "note": "Synthetic: silent."}),
        ):
            services.send("recommendations", path, body, str(uuid4()))
    refused = throughline(stack, "void", stream, "2", "--reason", "Synthetic mistake", "--yes")
    assert (refused.exit_code, "AdoptedTextRestsOnIt" in refused.output) == (1, True)
    assert f"throughline void {stream} 3" in output_of(refused)
    for version in ("3", "2"):
        assert throughline(stack, "void", stream, version, "--reason", "Synthetic mistake", "--yes").exit_code == 0
