"""The plain fold of the peers produces the same documents as Throughline, in the sections that it has."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.peers import plain
from shared.consumer.record import KafkaRecord
from tests.history import composed
from tools.simulate.history import history
from tools.simulate.records import read, records_of, write

pytestmark = pytest.mark.slow

CONSUMED = ("recommendations", "meetings")
Documents = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history in a file."""
    file = tmp_path_factory.mktemp("peers") / "history.records"
    write(file, (record for record in records_of(history(6_000, seed=9)) if record.service in CONSUMED))
    return file


@pytest.fixture(scope="module")
def own(file: Path) -> Documents:
    """The traces of Throughline."""
    records = (
        KafkaRecord(each.topic, 0, each.position, each.key, each.value, tuple(each.headers)) for each in read(file)
    )
    return composed(list(records))


@pytest.fixture(scope="module")
def peers(file: Path) -> Documents:
    """The peers' documents."""
    states: dict[str, plain.State] = {}
    for _, stream, raw in plain.records(io.BytesIO(file.read_bytes())):
        states[stream] = plain.evolve(states.get(stream), orjson.loads(raw))
    references = [stream.partition("/")[2] for stream in states if stream.startswith("recommendation/")]
    return {reference: plain.compose(states, reference) for reference in references}


def test_every_recommendation_has_a_document(own: Documents, peers: Documents) -> None:
    assert len(own) > 20
    assert peers.keys() == own.keys()


def test_mandates_have_the_same_standing(own: Documents, peers: Documents) -> None:
    def standings(document: dict[str, Any]) -> list[tuple[str, str]]:
        return [(mandate["provision"], mandate["standing"]) for mandate in document["mandates"]]

    assert {name: standings(trace) for name, trace in peers.items()} == {
        name: standings(trace) for name, trace in own.items()
    }


@pytest.mark.parametrize("section", ["transmission", "dispositions", "follow_up"])
def test_sections_have_as_many_entries(section: str, own: Documents, peers: Documents) -> None:
    assert {name: len(trace[section]) for name, trace in peers.items()} == {
        name: len(trace[section]) for name, trace in own.items()
    }


def test_the_same_members_were_in_the_room(own: Documents, peers: Documents) -> None:
    def present(document: dict[str, Any]) -> list[Any]:
        return [(step["members"], step["in_room"], step["remote"]) for step in document["work"] if "members" in step]

    assert {name: present(trace) for name, trace in peers.items()} == {
        name: present(trace) for name, trace in own.items()
    }


def test_they_are_based_on_the_same_versions(own: Documents, peers: Documents) -> None:
    for name, trace in peers.items():
        versions = {stream: version for stream, version, _ in own[name]["based_on"]}
        assert dict(trace["based_on"]).items() <= versions.items()
