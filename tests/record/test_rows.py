"""Every row is a command of its service, at the path of its route."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.meetings.api import COMMAND_ROUTES as OF_MEETINGS
from services.recommendations.api import COMMAND_ROUTES as OF_RECOMMENDATIONS
from shared.http.commands import CommandRoute
from shared.store.correcting import CorrectRecord
from tests.record.synthetic import a_record, checked
from tools.record.checking import check
from tools.record.rows import Row

PUBLIC_RECORD = Path(__file__).parents[2] / "shared/reference/public_record.yaml"
COMMAND_ROUTES = {"meetings": OF_MEETINGS, "recommendations": OF_RECOMMENDATIONS}


def accepts(route: CommandRoute, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path) is not None


def commands_at(row: Row, path: str) -> list[type]:
    return [route.command for route in COMMAND_ROUTES[row.service] if accepts(route, path)]


@pytest.mark.parametrize("source", ["synthetic", "public"])
def test_every_row_is_sent_to_the_route_of_its_command(tmp_path: Path, source: str):
    record = checked(tmp_path, a_record()) if source == "synthetic" else check(PUBLIC_RECORD)
    for each in record.rows:
        assert commands_at(each.row, each.row.post) == [type(each.row.command)], each.path
        assert CorrectRecord in commands_at(each.row, each.row.correct), each.path


@pytest.mark.parametrize("kind", ["reaffirmed_by", "carried_by", "endorsed_by"])
def test_every_kind_of_relation_has_a_route(tmp_path: Path, kind: str):
    record = a_record()
    record["relations"][0]["kind"] = kind
    [relation] = [each for each in checked(tmp_path, record).rows if each.path == "relations[0]"]
    assert commands_at(relation.row, relation.row.post) == [type(relation.row.command)]
