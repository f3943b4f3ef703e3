"""The group as at a day, the members and their nominations, the answers to a call, and what waits, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.http.asking import Caller, accepted, new_id, nomination, problem
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
EARLIER = {"name": "Synthetic Earlier", "contact": "synthetic.earlier@example.org"}
LATER = {"name": "Synthetic Later", "contact": "synthetic.later@example.org"}
NEXT = {"name": "Synthetic Next", "contact": "synthetic.next@example.org"}


@dataclass
class World:
    """A call, an expert whose details changed, and the one who replaced this expert; a theme that nobody else has."""

    call: str
    first: str
    second: str
    theme: str


@pytest.fixture(scope="module")
def world(stack: Stack, web: httpx2.Client) -> World:
    world = World(new_id("call"), new_id("first"), new_id("second"), new_id("theme"))
    secretariat, fiji = Caller(stack, web), Caller(stack, web, "focal_point", "FJI")

    def post(caller: Caller, path: str, **body: Any) -> int:
        return int(accepted(caller.post("nominations", path, body))["version"])

    def wait(key: str, version: int) -> None:
        answer = secretariat.get("nominations", f"/memberships/{key}", at_least=version, wait=30)
        assert answer.status_code == 200, answer.text

    post(secretariat, "/calls", call=world.call, title="Synthetic call", opened_on="2020-12", closes_on="2021-02")
    written = {"themes": [world.theme], "call": world.call, "submitted_on": "2021-01"}
    post(fiji, "/nominations", **nomination(world.first, details=EARLIER, **written))
    rest = nomination(world.first, details=EARLIER, category="official", themes=[world.theme])
    del rest["nomination"], rest["member"]
    post(fiji, f"/nominations/{world.first}/amend", **rest, amended_on="2021-01")
    post(secretariat, f"/nominations/{world.first}/accept", accepted_on="2021-01-10")
    wait(world.first, 1)
    changed = {"changed_on": "2021-06", "institution": "Synthetic ministry", "details": LATER}
    post(fiji, f"/memberships/{world.first}/change", **changed)
    post(fiji, "/nominations", **nomination(world.second, details=NEXT, replaces=world.first, themes=[world.theme]))
    post(secretariat, f"/nominations/{world.second}/accept", accepted_on="2022-03-01")
    wait(world.second, 1)
    wait(world.first, 3)
    return world


def on(caller: Caller, day: str, world: World, **more: Any) -> list[dict[str, Any]]:
    answer = caller.get("nominations", "/roster", on=day, theme=world.theme, **more)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_the_roster_has_the_particulars_of_the_day(world: World, caller: Call) -> None:
    secretariat = caller()
    assert on(secretariat, "2021-01-09", world) == []
    (before,) = on(secretariat, "2021-05-31", world)
    assert (before["membership"], before["details"], before["institution"]) == (
        world.first, EARLIER, "Synthetic institute"
    )  # fmt: skip
    assert (before["member"], before["member_name"], before["category"]) == ("FJI", "Fiji", "official")
    (within,) = on(secretariat, "2021-06-15", world)
    assert (within["institution"], within["details"]) == ("Synthetic institute", EARLIER)
    assert within["possibly_changed"] == [
        {"changed_on": "2021-06", "institution": "Synthetic ministry", "details": True}
    ]
    (after,) = on(secretariat, "2021-12-31", world)
    assert (after["institution"], after["details"], after["certainty"]) == ("Synthetic ministry", LATER, "certain")


def test_the_roster_shows_who_replaced_whom(world: World, caller: Call) -> None:
    (now,) = on(caller(), "2022-06-01", world)
    assert (now["membership"], now["replaces"]) == (world.second, world.first)
    assert [(each["membership"], each["details"]["name"]) for each in now["chain"]] == [
        (world.first, LATER["name"]),
        (world.second, NEXT["name"]),
    ]
    both = on(caller(), "2022-03-01", world)
    assert {each["membership"] for each in both} == {world.first, world.second}
    assert both[0].get("replaced_by", both[1].get("replaced_by")) == [world.second]


def test_the_roster_is_filtered_counted_and_paged(world: World, caller: Call) -> None:
    secretariat = caller()
    query = {"on": "2022-03-01", "theme": world.theme}
    whole = secretariat.get("nominations", "/roster", **query).json()
    assert (whole["total"], whole["counts"]["member"], whole["counts"]["category"]) == (
        2, {"FJI": 2}, {"academia": 1, "official": 1}
    )  # fmt: skip
    first = secretariat.get("nominations", "/roster", **query, limit=1).json()
    second = secretariat.get("nominations", "/roster", **query, limit=1, after=first["next"]).json()
    assert [*first["items"], *second["items"]] == whole["items"]
    assert "next" not in second
    assert [each["membership"] for each in on(secretariat, "2022-03-01", world, category="academia")] == [world.second]
    assert on(secretariat, "2022-03-01", world, capacity="alternate") == []
    assert on(secretariat, "2022-03-01", world, member="TUV") == []
    assert secretariat.get("nominations", "/roster", on="2022-03").status_code == 422


def test_names_are_shown_to_those_who_see_them(world: World, caller: Call) -> None:
    for opens in (caller(), caller("focal_point", member="FJI")):
        assert on(opens, "2021-12-31", world)[0]["details"] == LATER
    for reads in (caller("auditor"), caller("expert"), caller("chair")):
        answer = reads.get("nominations", "/roster", on="2022-03-01", theme=world.theme)
        assert len(answer.json()["items"]) == 2
        assert "example.org" not in answer.text
    assert "Synthetic Later" not in caller("auditor").get("nominations", "/roster", on="2022-03-01").text
    tuvalu = caller("focal_point", member="TUV")
    assert on(tuvalu, "2022-03-01", world) == []
    problem(tuvalu.get("nominations", "/roster", member="FJI"), 403, "NotYoursToRead")


def test_another_government_changes_no_experts_details(world: World, caller: Call) -> None:
    tuvalu, body = caller("focal_point", member="TUV"), {"changed_on": "2021", "details": NEXT}
    for path in (f"/memberships/{world.first}/change", f"/memberships/{world.second}/change"):
        problem(tuvalu.post("nominations", path, body), 422, "OnlyTheMembersOwnGovernmentNominates")
        problem(tuvalu.post("nominations", path, body, If_Match='"99"'), 422, "OnlyTheMembersOwnGovernmentNominates")
    fiji = caller("focal_point", member="FJI")
    problem(
        fiji.post("nominations", f"/memberships/{world.first}/change", body, If_Match='"1"'), 412, "VersionConflict"
    )
    late = {"changed_on": "2020-12-31", "institution": "Synthetic"}
    refused = problem(
        fiji.post("nominations", f"/memberships/{world.first}/change", late), 422, "ChangedOutsideMembership"
    )
    assert "before the beginning of the membership, 2021-01-10" in refused["detail"]


@pytest.mark.parametrize("validate", ["", "?validate=true"])
def test_a_focal_point_learns_no_difference_of_anothers_membership_and_none(
    validate: str, world: World, caller: Call
) -> None:
    tuvalu, says = caller("focal_point", member="TUV"), set()
    for key in (world.first, new_id("absent")):
        change: dict[str, Any] = {"changed_on": "2021", "institution": "Synthetic"}
        replacing = nomination(new_id("replacing"), "TUV", replaces=key)
        for path, body in ((f"/memberships/{key}/change", change), ("/nominations", replacing)):
            answer = tuvalu.post("nominations", f"{path}{validate}", body)
            refused = problem(answer, 422, "OnlyTheMembersOwnGovernmentNominates")
            says.add(refused["detail"].replace(key, "…").partition(":")[0])
    assert says == {"membership/… is not of your Government, or is not on record"}


def test_members_are_listed_with_what_they_nominated(world: World, caller: Call) -> None:
    secretariat = caller()
    every = secretariat.get("nominations", "/members").json()
    rows = {row["member"]: row for row in every["items"]}
    assert (every["total"], len(rows)) == (62, 62)
    assert rows["FJI"]["nominated"]
    assert rows["FJI"]["nominations"]["accepted"] >= 2
    assert rows["FJI"]["active"]["principal"] >= 1
    assert rows["FJI"]["first_submission"] <= "2021-01"
    never = secretariat.get("nominations", "/members", nominated="never").json()
    assert {row["member"] for row in never["items"]} == {key for key, row in rows.items() if not row["nominated"]}
    under = secretariat.get("nominations", "/members", call=world.call, nominated="ever").json()
    assert [(row["member"], row["nominations"]) for row in under["items"]] == [("FJI", {"accepted": 1})]
    own = caller("focal_point", member="TUV").get("nominations", "/members").json()
    assert [row["member"] for row in own["items"]] == ["TUV"]
    problem(secretariat.get("nominations", "/members", call="unknown"), 404, "NotOnRecord")


def test_a_call_says_who_answered(world: World, caller: Call) -> None:
    shown = caller().get("nominations", f"/calls/{world.call}/answers", answered="no").json()
    assert (shown["total"], shown["counts"]) == (61, {"answered": 1, "not_answered": 61})
    assert (shown["stage"], shown["deadline"], shown["closes_on"]) == ("open", "passed", "2021-02")
    assert "FJI" not in {row["member"] for row in shown["items"]}


def test_a_nomination_that_waits_is_an_answer_only_to_those_who_see_it(caller: Call) -> None:
    secretariat, call, key = caller(), new_id("call"), new_id("pending")
    accepted(secretariat.post("nominations", "/calls", {"call": call, "title": "Synthetic call"}))
    accepted(secretariat.post("nominations", "/nominations", nomination(key, call=call)))
    secretariat.get("nominations", f"/nominations/{key}", at_least=1, wait=30)
    for role, answered in (("secretariat", 1), ("auditor", 1), ("chair", 0), ("expert", 0)):
        reader = caller(role)
        counts = reader.get("nominations", f"/calls/{call}/answers").json()["counts"]
        assert counts == {"answered": answered, "not_answered": 62 - answered}, role
        ever = reader.get("nominations", "/members", call=call, nominated="ever").json()
        assert [row["member"] for row in ever["items"]] == ["FJI"] * answered, role
    for member, answered in (("FJI", 1), ("TUV", 0)):
        own = caller("focal_point", member=member).get("nominations", f"/calls/{call}/answers").json()
        assert own["counts"] == {"answered": answered, "not_answered": 1 - answered}


def test_what_waits_is_shown_to_those_it_waits_for(world: World, caller: Call) -> None:
    secretariat, fiji, tuvalu = caller(), caller("focal_point", member="FJI"), caller("focal_point", member="TUV")
    key = new_id("waiting")
    accepted(fiji.post("nominations", "/nominations", nomination(key, call=world.call, submitted_on="2021-01-31")))
    secretariat.get("nominations", f"/nominations/{key}", at_least=1, wait=30)

    def matters(reads: Caller, **query: Any) -> dict[str, Any]:
        items = reads.get("nominations", "/waiting", limit=1_000, **query).json()["items"]
        return {f"{item['kind']} {item['stream']}": item for item in items}

    review = matters(secretariat, due="overdue")[f"nomination_to_review nomination/{key}"]
    assert (review["since"], review["due"], review["member"]) == ("2021-01-31", "2021-02", "FJI")
    assert "Synthetic Nominee" not in str(review)
    assert f"nomination_to_review nomination/{key}" not in matters(fiji)
    accepted(secretariat.post("nominations", f"/nominations/{key}/return", {"reason": "Synthetic"}))
    secretariat.get("nominations", f"/nominations/{key}", at_least=2, wait=30)
    complete = f"nomination_to_complete nomination/{key}"
    assert complete in matters(fiji, kind="nomination_to_complete")
    assert complete not in matters(tuvalu)
    answer = f"call_to_answer call/{world.call}"
    assert answer in matters(tuvalu)
    assert answer not in matters(fiji)
    assert f"call_to_close call/{world.call}" in matters(secretariat)


def test_nominations_are_listed_the_newest_submission_first_in_pages(caller: Call) -> None:
    samoa, theme = caller("focal_point", member="WSM"), new_id("theme")
    days = {new_id("nomination"): day for day in ("2021-03", "2021-03-02", "2020", "2021-03", None)}
    for key, day in days.items():
        more = {"themes": [theme]} | ({"submitted_on": day} if day else {})
        accepted(samoa.post("nominations", "/nominations", nomination(key, "WSM", **more)))
        assert samoa.get("nominations", f"/nominations/{key}", at_least=1, wait=30).status_code == 200
    sorted_keys = sorted(days, key=lambda key: (days[key] or "2026", key), reverse=True)

    def listed(limit: int) -> list[str]:
        streams: list[str] = []
        query: dict[str, Any] = {"theme": theme, "sort": "newest", "limit": limit}
        while True:
            page = caller().get("nominations", "/nominations", **query).json()
            streams += [item["stream"].partition("/")[2] for item in page["items"]]
            if "next" not in page:
                return streams
            query["after"] = page["next"]

    assert listed(1) == listed(2) == listed(100) == sorted_keys
    void = accepted(caller().post("nominations", f"/nominations/{sorted_keys[0]}/void", {"voids": 1, "reason": "S"}))
    assert caller().get("nominations", void["stream"].replace("nomination/", "/nominations/"), at_least=2, wait=30)
    assert caller().get("nominations", "/nominations", sort="newest", stage="void", limit=1).json()["items"]
    assert caller().get("nominations", "/nominations", sort="oldest").status_code == 422


def test_the_roster_follows_a_void(world: World, caller: Call) -> None:
    secretariat = caller()
    accepted(secretariat.post("nominations", f"/nominations/{world.second}/void", {"voids": 2, "reason": "Synthetic"}))
    assert secretariat.get("nominations", f"/memberships/{world.first}", at_least=4, wait=30).status_code == 200
    assert [each["membership"] for each in on(secretariat, "2022-06-01", world)] == [world.first]
