"""Rows are sent concurrently, each after those of its stream and those that it names; the report is in file order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.events.catalogue import Recorded
from tests.given import recorded
from tests.record.synthetic import a_record, checked
from tools.client.errors import CommandRefused, Unreachable
from tools.record.checking import CheckedRecord
from tools.record.loading import CONCURRENT_ROWS, Load
from tools.record.ordering import predecessors, run_in_order

Fails = Callable[[str, str], Exception | None]


def never(_stream: str, _command_id: str) -> None: ...


class Services:
    """A stand-in for the services, which keeps what is sent, and how many rows concurrently."""

    def __init__(self, record: CheckedRecord, fails: Fails = never) -> None:
        self.sent: list[str] = []
        self.events: dict[str, list[Any]] = {}
        self.most = 0
        self._lock = threading.Lock()
        self._current = 0
        self._fails = fails
        self._rows = {(row.row.post, row.row.command.model_dump_json(exclude_unset=True)): row for row in record.rows}

    def stream(self, _service: str, stream: str) -> list[Recorded]:
        return recorded(stream, *self.events.get(stream, ()))

    def send(self, _service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        row = next(row for (post, _), row in self._rows.items() if post == path and _body_of(row) == body)
        with self._lock:
            self._current += 1
            self.most = max(self.most, self._current)
        time.sleep(0.002)
        with self._lock:
            self._current -= 1
            if (failure := self._fails(row.path, command_id)) is not None:
                raise failure
            self.sent.append(row.path)
            self.events.setdefault(row.row.stream, []).append(row.event)
            return len(self.events[row.row.stream])


def _body_of(row: Any) -> dict[str, Any]:
    return row.row.command.model_dump(mode="json", exclude_unset=True)  # type: ignore[no-any-return]


@pytest.fixture
def record(tmp_path: Path) -> CheckedRecord:
    """Twelve synthetic recommendations with what they refer to."""
    whole = a_record("k1", 1)
    for number in range(2, 13):
        other = a_record(f"k{number}", number)
        for section, rows in other.items():
            if section not in ("record", "themes", "members"):
                whole[section] += rows
    return checked(tmp_path, whole)


def test_rows_are_sent_concurrently_after_what_they_name(record: CheckedRecord) -> None:
    services = Services(record)
    report = Load(record, services).run()
    assert 1 < services.most <= CONCURRENT_ROWS
    assert [outcome.path for outcome in report.outcomes] == [row.path for row in record.rows]
    assert {outcome.standing for outcome in report.outcomes} == {"loaded"}
    place = {path: number for number, path in enumerate(services.sent)}
    for row, before in zip(record.rows, predecessors(record.rows), strict=True):
        assert all(place[record.rows[each].path] < place[row.path] for each in before)


def test_a_row_waits_for_every_stream_that_it_names(record: CheckedRecord) -> None:
    numbers = {row.path: number for number, row in enumerate(record.rows)}
    before = predecessors(record.rows)

    def waits_for(path: str) -> set[str]:
        return {record.rows[each].row.stream for each in before[numbers[path]]}

    assert waits_for("relations[0]") == {"instrument/k1-old", "instrument/k1-new"}
    assert waits_for("recommendations[2].mandates[0]") >= {"recommendation/SYN/2031/R3", "instrument/k3-old"}
    assert waits_for("recommendations[2].adopted") >= {"recommendation/SYN/2031/R3", "meeting/k3-meeting"}
    assert waits_for("recommendations[2].transmitted") >= {"recommendation/SYN/2031/R3", "session/3"}
    assert waits_for("recommendations[2].follow_up[1]") >= {"recommendation/SYN/2031/R3", "deliverable/k3-row"}
    assert waits_for("meetings[0]") == set()


def test_one_at_a_time_is_in_the_order_of_the_file(record: CheckedRecord) -> None:
    services = Services(record)
    Load(record, services, workers=1).run()
    assert services.most == 1


def test_a_refused_row_holds_back_its_own_stream_only(record: CheckedRecord) -> None:
    refused = "recommendations[3].mandates[0]"
    services = Services(record, lambda path, _: CommandRefused("Synthetic", "no") if path == refused else None)
    report = Load(record, services).run()
    by_standing = {outcome.path: outcome.standing for outcome in report.outcomes}
    assert by_standing[refused] == "refused"
    held_back = {path for path, standing in by_standing.items() if standing == "held back"}
    assert held_back
    assert all(path.startswith("recommendations[3]") for path in held_back)
    assert list(by_standing) == [row.path for row in record.rows]


def test_an_interrupted_load_reports_what_it_did_and_goes_on_from_there(record: CheckedRecord) -> None:
    fallen = {"recommendations[5].adopted"}
    services = Services(record, lambda path, _: Unreachable("away") if path in fallen else None)
    load = Load(record, services)
    with pytest.raises(Unreachable, match="away"):
        load.run()
    done = [outcome.path for outcome in load.report.outcomes]
    assert sorted(done) == sorted(services.sent)
    assert done == [row.path for row in record.rows if row.path in set(done)]
    assert len(done) < len(record.rows)
    fallen.clear()
    report = Load(record, services).run()
    assert {outcome.path for outcome in report.outcomes if outcome.standing == "unchanged"} == set(done)
    assert sorted(services.sent) == sorted(row.path for row in record.rows)


def test_an_interruption_from_the_keyboard_ends_what_has_begun(record: CheckedRecord) -> None:
    services = Services(record)
    load = Load(record, services)

    def interrupt(_outcome: object) -> None:
        if len(load.report.outcomes) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load.run(interrupt)
    assert len(load.report.outcomes) == 20
    assert 20 <= len(services.sent) <= 20 + CONCURRENT_ROWS


def test_numbers_run_once_all_before_them_have_run() -> None:
    order = [number for number, _ in run_in_order([set(), {0}, {0}, {1, 2}, set()], 3, lambda number: number)]
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order.index(3) > max(order.index(1), order.index(2)) > order.index(0)
