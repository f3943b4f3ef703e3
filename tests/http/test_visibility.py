"""Every query of the services shows a reader what the table of who sees what says, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from shared.domain.visibility import readers, reads_its_own
from shared.http.auth import Principal
from tests.http.asking import Caller, new_id, problem
from tests.http.seen import LISTS, Record, World, expected, pages
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
NAMES = (
    "secretariat", "chair", "expert", "expert of FJI", "expert of TUV", "focal point of FJI", "focal point of TUV",
    "auditor", "operator",
)  # fmt: skip
FOCAL = "focal point of FJI"
Call = Callable[..., Caller]


@pytest.fixture(scope="module")
def world(stack: Stack, web: httpx2.Client) -> World:
    return World(stack, web)


@pytest.fixture(scope="module")
def by_name(world: World) -> dict[str, Caller]:
    named = world.readers()
    assert named.keys() == {*NAMES}
    return named


@pytest.mark.parametrize("name", NAMES)
def test_one_record_is_shown_to_those_who_see_it_and_to_others_is_as_one_that_is_not(
    name: str, world: World, by_name: dict[str, Caller]
) -> None:
    reader = by_name[name]
    for record in world.records:
        if reader.role not in readers(record.kind):
            problem(reader.get(*record.address), 403, "RoleMayNot")
        elif expected(reader, record):
            assert reader.get(*record.address).json()["stream"] == record.stream, record
        else:
            assert refusals(reader, record) == refusals(reader, unknown_like(record)), record


def unknown_like(record: Record) -> Record:
    """Return a record of the same kind that is not on record."""
    return Record(record.kind, "SYN/2031/R99998" if record.kind == "recommendation" else new_id("nothing"))


def refusals(reader: Caller, record: Record) -> list[tuple[int, set[str], dict[str, Any]]]:
    """Return how a record is refused, read as it is and as of a version, with its key left out."""
    answers = [reader.get(*record.address), reader.get(*record.address, at_least=9, wait=0)]
    assert [each.status_code for each in answers] == [403 if _reads_its_own(reader, record.kind) else 404, 409]
    return [
        (each.status_code, {*each.headers}, each.json() | {"detail": each.json()["detail"].replace(record.key, "KEY")})
        for each in answers
    ]


def _reads_its_own(reader: Caller, kind: str) -> bool:
    return reads_its_own(Principal(reader.actor, reader.role, reader.member, reader.expert), kind)


@pytest.mark.parametrize("limit", [2, 1_000])
@pytest.mark.parametrize("name", NAMES)
def test_a_list_holds_what_the_reader_sees_in_full_pages(
    name: str, limit: int, world: World, by_name: dict[str, Caller]
) -> None:
    reader = by_name[name]
    for kind, (service, plural) in LISTS.items():
        if reader.role not in readers(kind):
            problem(reader.get(service, plural), 403, "RoleMayNot")
            continue
        own = {each.stream for each in world.records if each.kind == kind}
        filters = {"theme": world.theme} if kind == "recommendation" else {}
        seen = [item["stream"] for page in pages(reader, service, plural, limit, **filters) for item in page]
        assert len(seen) == len({*seen})
        shown = {each.stream for each in world.records if each.kind == kind and expected(reader, each)}
        without_theme = {f"recommendation/{key}" for key in void(world)} if filters else set()
        assert own.intersection(seen) == shown - without_theme, (kind, name)


def void(world: World) -> list[str]:
    """Return the recommendations that are void: no filter but their stage finds them."""
    return [world.keys("recommendation", phase="draft")[2]]


@pytest.mark.parametrize("name", [each for each in NAMES if each != "operator"])
def test_traces_coverage_and_dependants_leave_out_what_the_reader_does_not_see(
    name: str, world: World, by_name: dict[str, Caller]
) -> None:
    reader, instrument = by_name[name], world.keys("instrument")[0]
    own = {*world.keys("recommendation")}
    shown = {each.key for each in world.records if each.kind == "recommendation" and expected(reader, each)}
    for view in ("row", "trace"):
        listed = [row for page in pages(reader, "recommendations", "/traces", 2, view=view) for row in page]
        assert {row.get("recommendation", row)["reference"] for row in listed} & own == shown
    reach = [row for page in pages(reader, "recommendations", "/coverage", 2, by="recommendation") for row in page]
    assert {row["reference"] for row in reach} & own == shown - {*void(world)}
    rows = [row for page in pages(reader, "recommendations", "/coverage", 50, full=False) for row in page]
    [row] = [row for row in rows if row["instrument"] == instrument]
    assert {each["reference"] for each in row["recommendations"]} == shown - {*void(world)}
    resting = reader.get("recommendations", "/dependants", stream=f"instrument/{instrument}", limit=1).json()
    assert (resting["count"], len(resting["traces"])) == (len(shown - {*void(world)}), 1)
    matches = reader.get("recommendations", "/traces", text=world.word, view="row").json()["items"]
    assert {row["reference"] for row in matches} == shown & {*world.keys("recommendation", phase="draft")}
    by_reference = reader.get("recommendations", "/traces", text=world.keys("recommendation")[0], view="row").json()
    assert len(by_reference["items"]) == (1 if reader.role != "focal_point" else 0)


@pytest.mark.parametrize("name", [each for each in NAMES if each != "operator"])
def test_members_are_counted_by_the_nominations_that_the_reader_sees(
    name: str, world: World, by_name: dict[str, Caller]
) -> None:
    reader = by_name[name]
    rows = {row["member"]: row for row in reader.get("nominations", "/members").json()["items"]}
    for member in rows.keys() & world.persons.keys():
        nominations = [each for each in world.records if each.kind == "nomination" and each.facets["member"] == member]
        shown = {each.facets["stage"] for each in nominations if expected(reader, each)}
        assert rows[member]["nominations"].keys() == shown, member


def test_no_answer_to_a_focal_point_holds_a_word_of_a_draft(world: World, by_name: dict[str, Caller]) -> None:
    reader = by_name[FOCAL]
    for path in ("/traces", "/recommendations", "/coverage"):
        assert world.word not in reader.get("recommendations", path, limit=1_000).text
    for reference in world.keys("recommendation"):
        for path in (f"/traces/{reference}", f"/traces/{reference}/provenance", f"/recommendations/{reference}"):
            answer = reader.get("recommendations", path)
            assert world.word not in answer.text
            assert (answer.status_code == 200) == (reference in world.keys("recommendation", phase="adopted"))
    superseded = world.keys("recommendation", phase="adopted")[-1]
    lineage = reader.get("recommendations", f"/traces/{superseded}").json()["trace"]["lineage"]
    assert [each["reference"] for each in lineage["superseded_by"]] == [world.keys("recommendation")[0]]
    for each in (lineage["superseded_by"][0]["reference"], "SYN/2031/R99998"):
        resting = reader.get("recommendations", "/dependants", stream=f"recommendation/{each}").json()
        assert world.keys("recommendation")[0] not in resting["traces"]


@pytest.mark.parametrize("query", [{"as_of": "2020-05-31"}, {"known_at": "2020-06-02T00:00:00Z"}])
def test_before_its_adoption_a_trace_is_not_on_record_for_a_focal_point(
    query: dict[str, str], world: World, by_name: dict[str, Caller]
) -> None:
    reader, unknown = by_name[FOCAL], "SYN/2031/R99998"
    draft, adopted = world.keys("recommendation")[0], world.keys("recommendation", phase="adopted")[0]
    for path in ("", "/provenance"):
        refused = [
            problem(reader.get("recommendations", f"/traces/{each}{path}", **query), 404, "NotOnRecord")["detail"]
            for each in (draft, adopted, unknown)
        ]
        assert [each.replace(key, "KEY") for each, key in zip(refused, (draft, adopted, unknown), strict=True)] == [
            refused[0].replace(draft, "KEY")
        ] * 3
    chair = by_name["chair"].get("recommendations", f"/traces/{adopted}", as_of="2020-05-31")
    assert chair.json()["trace"]["recommendation"]["standing"] == "drafted"


def test_as_of_a_day_and_known_at_a_time_after_the_adoption_a_focal_point_reads_the_trace(
    world: World, by_name: dict[str, Caller]
) -> None:
    reader, adopted = by_name[FOCAL], world.keys("recommendation", phase="adopted")[0]
    for query in ({"as_of": "2020-06-01"}, {"known_at": "2999-01-01T00:00:00Z"}, {"at_least": 3, "wait": 20}):
        assert reader.get("recommendations", f"/traces/{adopted}", **query).status_code == 200, query


def test_a_recommendation_is_known_as_a_draft_before_its_adoption_was_recorded(
    world: World, by_name: dict[str, Caller]
) -> None:
    adopted = world.keys("recommendation", phase="adopted")[0]
    path = f"/traces/{adopted}"
    events = by_name["auditor"].get("recommendations", f"{path}/events").json()["events"]
    drafted_at = next(each["event"]["time"] for each in events if each["event"]["type"].endswith("Drafted.v1"))
    assert by_name["chair"].get("recommendations", path, known_at=drafted_at).status_code == 200
    problem(by_name[FOCAL].get("recommendations", path, known_at=drafted_at), 404, "NotOnRecord")


def test_a_voided_adoption_is_no_way_to_what_is_a_draft_again(world: World, by_name: dict[str, Caller]) -> None:
    again = world.keys("recommendation", phase="draft")[3]
    path = f"/traces/{again}"
    events = by_name["auditor"].get("recommendations", f"{path}/events").json()["events"]
    adopted_at = next(each["event"]["time"] for each in events if each["event"]["type"].endswith("Adopted.v1"))
    then = by_name["chair"].get("recommendations", path, known_at=adopted_at).json()["trace"]
    assert then["recommendation"]["standing"] == "adopted"
    problem(by_name[FOCAL].get("recommendations", path, known_at=adopted_at), 404, "NotOnRecord")


def test_names_are_shown_to_those_who_see_them(world: World, by_name: dict[str, Caller]) -> None:
    """The experts of Fiji and Tuvalu are active members; one whose token names nobody is not."""
    accepted = world.keys("nomination", stage="accepted", member="FJI")[0]
    everything = {"name", "contact"}
    fields = {
        "secretariat": everything, "chair": {"name"}, "expert": set(), "expert of FJI": everything,
        "expert of TUV": {"name"}, "focal point of FJI": everything, "auditor": set(),
    }  # fmt: skip
    for name, shown in fields.items():
        state = by_name[name].get("nominations", f"/nominations/{accepted}").json()["state"]
        assert state.get("details", {}).keys() == shown, name
        listed = by_name[name].get("nominations", "/nominations", member="FJI", limit=1_000).text
        assert (world.names["FJI"] in listed) == bool(shown), name
    assert world.names["TUV"] not in by_name[FOCAL].get("nominations", "/nominations", limit=1_000).text


@pytest.mark.parametrize(
    ("name", "members"),
    [("chair", {"FJI", "TUV"}), ("auditor", {"FJI", "TUV"}), (FOCAL, {"FJI"}), ("focal point of TUV", {"TUV"})],
)
def test_the_terms_on_a_meeting_are_of_memberships_that_the_reader_sees(
    name: str, members: set[str], world: World, by_name: dict[str, Caller]
) -> None:
    shown = by_name[name].get("meetings", f"/meetings/{world.keys('meeting')[0]}").json()
    assert {member for member in ("FJI", "TUV") if any(f" {member} " in gap for gap in shown["gaps"])} == members
    attendance = [entry["fact"] for entry in shown["state"]["proceedings"]["attendance"]]
    assert {fact["member"] for fact in attendance} == {"FJI", "TUV"}
    assert {fact["member"] for fact in attendance if "membership_ended_on" in fact} == members


def test_a_focal_point_lists_no_other_member_and_an_expert_finds_nothing_by_typing_one(
    world: World, by_name: dict[str, Caller]
) -> None:
    for path in ("/nominations", "/memberships"):
        problem(by_name[FOCAL].get("nominations", path, member="TUV"), 403, "NotYoursToRead")
    for stage in ("submitted", "returned", "declined", "withdrawn", "void"):
        typed = {"member": "TUV", "stage": stage, "limit": 1_000}
        assert by_name["expert of FJI"].get("nominations", "/nominations", **typed).json() == {"items": []}
    own = by_name["expert of FJI"].get("nominations", "/nominations", stage="declined").json()["items"]
    assert [item["stream"] for item in own] == [
        f"nomination/{key}" for key in world.keys("nomination", stage="declined", member="FJI")
    ]
