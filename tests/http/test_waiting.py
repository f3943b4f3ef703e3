"""Matters that wait for a caller, in each service; suspect citations by supersession; counts beside a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.asking import ROLES, Caller, accepted, draft, meeting, new_id, problem
from tests.patience import until

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
SERVICES = ("meetings", "recommendations", "notifications")


def waiting(asking: Caller, service: str, **query: Any) -> list[dict[str, Any]]:
    """Return every page of what waits for a caller."""
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = asking.get(service, "/waiting", **{"limit": 1_000, **after, **query})
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if "next" not in answer.json():
            return items
        after = {"after": answer.json()["next"]}


def on(stream: str, items: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(item["kind"], item.get("about")) for item in items if item["stream"] == stream]


@pytest.fixture(scope="module")
def proposed(stack: Any, web: Any) -> str:
    """A meeting of 2021 that was proposed, and is confirmed by nobody."""
    key, asking = new_id("meeting"), Caller(stack, web)
    accepted(asking.post("meetings", "/meetings", meeting(key)))
    assert asking.get("meetings", f"/meetings/{key}", at_least=1, wait=20).status_code == 200
    return key


def test_each_role_reads_what_waits_for_it_and_an_auditor_all(proposed: str, caller: Call) -> None:
    stream = f"meeting/{proposed}"
    chair, secretariat = ("confirmation", "chair"), ("confirmation", "secretariat")
    expected = {"chair": [chair], "secretariat": [secretariat], "auditor": [chair, secretariat]}
    for role in ROLES:
        if role == "operator":
            problem(caller(role).get("meetings", "/waiting"), 403, "RoleMayNot")
        else:
            assert on(stream, waiting(caller(role), "meetings")) == expected.get(role, [])


def test_a_matter_has_the_shape_that_is_one_for_all_services(proposed: str, caller: Call) -> None:
    [item] = [each for each in waiting(caller("chair"), "meetings") if each["stream"] == f"meeting/{proposed}"]
    assert item.pop("since").startswith("20")
    assert item == {
        "kind": "confirmation",
        "stream": f"meeting/{proposed}",
        "about": "chair",
        "title": "Synthetic meeting",
        "due": "2021-03-01",
        "why": "It is proposed for 1 March 2021, and waits for confirmation by the chair.",
        "roles": ["chair"],
    }


def test_matters_are_filtered_by_kind_and_by_when_they_are_due(proposed: str, caller: Call) -> None:
    chair, stream = caller("chair"), f"meeting/{proposed}"
    assert on(stream, waiting(chair, "meetings", kind="confirmation", due="overdue"))
    assert not on(stream, waiting(chair, "meetings", kind="holding"))
    for due in ("soon", "later"):
        assert not on(stream, waiting(chair, "meetings", due=due))
    for query in ({"kind": "synthetic"}, {"due": "never"}):
        problem(chair.get("meetings", "/waiting", **query), 422, "SchemaViolation")


@pytest.mark.parametrize("service", SERVICES)
def test_pages_hold_each_matter_once_the_earliest_due_first(service: str, proposed: str, caller: Call) -> None:
    auditor = caller("auditor")
    whole, paged = waiting(auditor, service), waiting(auditor, service, limit=2)
    assert [each["stream"] for each in paged] == [each["stream"] for each in whole]
    dated = [each["due"][:4] for each in whole if each["due"]]
    assert dated == sorted(dated)
    assert all(each["due"] is None for each in whole[len(dated) :])


def test_what_was_done_waits_no_more(caller: Call) -> None:
    key, secretariat, chair = new_id("meeting"), caller(), caller("chair")
    accepted(secretariat.post("meetings", "/meetings", meeting(key)))
    for asking in (secretariat, chair):
        done = accepted(asking.post("meetings", f"/meetings/{key}/confirm"))
    for command, body in (
        ("hold", {}),
        ("outcomes", {"outcome": "a1", "kind": "action_point", "text": "Synthetic action", "due": "2021-05"}),
    ):
        done = accepted(secretariat.post("meetings", f"/meetings/{key}/{command}", body))
    secretariat.get("meetings", f"/meetings/{key}", at_least=done["version"], wait=20)
    assert on(f"meeting/{key}", waiting(secretariat, "meetings")) == [("action_point", "a1")]
    closed = {"outcome": "a1", "end": "done"}
    done = accepted(secretariat.post("meetings", f"/meetings/{key}/close-action-point", closed))
    secretariat.get("meetings", f"/meetings/{key}", at_least=done["version"], wait=20)
    assert on(f"meeting/{key}", waiting(secretariat, "meetings")) == []


@pytest.fixture
def superseded(caller: Call) -> tuple[str, str, list[str]]:
    """An instrument, the one that superseded it, and the references of two recommendations that cite it."""
    asking, old, later = caller(), new_id("old"), new_id("later")
    for key in (old, later):
        named = {"instrument": key, "cite": f"Synthetic {key}", "body": "SYN", "title": "Synthetic"}
        accepted(asking.post("recommendations", "/instruments", named))
    provision = {"provision": f"{old}/ask", "summary": "Synthetic ask", "paragraph": "4"}
    accepted(asking.post("recommendations", f"/instruments/{old}/provisions", provision))
    references = []
    for _ in range(2):
        body = draft()
        references.append(body["reference"])
        accepted(asking.post("recommendations", "/recommendations", body))
        mandate = {"instrument": old, "provision": f"{old}/ask"}
        accepted(asking.post("recommendations", f"/recommendations/{references[-1]}/cite", mandate))
    relation = {"by": later, "on": "2025-05"}
    accepted(asking.post("recommendations", f"/instruments/{old}/supersede", relation))
    until(lambda: [len(group["citations"]) for group in suspects(asking, old)] == [len(references)])
    return old, later, references


def suspects(asking: Caller, old: str) -> list[dict[str, Any]]:
    items = asking.get("recommendations", "/suspect-citations", limit=1_000).json()["items"]
    return [item for item in items if item["instrument"] == old]


def test_suspect_citations_are_grouped_by_the_supersession_that_they_wait_for(
    superseded: tuple[str, str, list[str]], caller: Call
) -> None:
    asking, (old, later, references) = caller(), superseded
    [group] = suspects(asking, old)
    assert {name: group[name] for name in group if name != "citations"} == {
        "instrument": old,
        "cite": f"Synthetic {old}",
        "superseded_by": later,
        "superseded_by_cite": f"Synthetic {later}",
        "on": "2025-05",
        "status": "unknown",
    }
    assert [each["reference"] for each in group["citations"]] == sorted(
        references, key=lambda reference: int(reference.rpartition("R")[2])
    )
    assert group["citations"][0] == {
        "reference": group["citations"][0]["reference"],
        "title": "Synthetic recommendation",
        "provision": f"{old}/ask",
        "paragraph": "4",
    }
    about = f"{old} {old}/ask {later}"
    for reference in references:
        assert ("citation", about) in on(f"recommendation/{reference}", waiting(asking, "recommendations"))


def test_a_reconfirmed_or_withdrawn_citation_is_suspect_no_more(
    superseded: tuple[str, str, list[str]], caller: Call
) -> None:
    asking, (old, later, [first, second]) = caller(), superseded
    answer = {"instrument": old, "provision": f"{old}/ask", "superseded_by": later}
    done = accepted(asking.post("recommendations", f"/recommendations/{first}/reconfirm", answer))
    asking.get("recommendations", f"/traces/{first}", at_least=done["version"], wait=20)
    assert [[each["reference"] for each in group["citations"]] for group in suspects(asking, old)] == [[second]]
    done = accepted(asking.post("recommendations", f"/recommendations/{second}/withdraw", {"reason": "Synthetic"}))
    asking.get("recommendations", f"/traces/{second}", at_least=done["version"], wait=20)
    assert suspects(asking, old) == []


def test_a_matter_is_due_by_the_days_of_its_session(superseded: tuple[str, str, list[str]], caller: Call) -> None:
    asking, (_, later, [reference, _]) = caller(), superseded
    session = {"session": 655, "starts_on": "2024-05-06", "ends_on": "2024-05-08"}
    accepted(asking.post("recommendations", "/sessions", session, key="synthetic-session-655"))
    duty = {"body": "CED", "session": 655}
    provision = {"provision": f"{later}/report", "summary": "Synthetic ask", "reporting_duty": duty}
    accepted(asking.post("recommendations", f"/instruments/{later}/provisions", provision))
    path = f"/recommendations/{reference}"
    mandate = {"instrument": later, "provision": f"{later}/report"}
    silent = {"status": "unknown", "note": "Synthetic: the record is silent."}
    for command, body in (("cite", mandate), ("adopt", silent), ("transmit", {"session": 655})):
        done = accepted(asking.post("recommendations", f"{path}/{command}", body))
    asking.get("recommendations", path, at_least=done["version"], wait=20)
    overdue = {
        (item["kind"], item["stream"]): (item["since"], item["due"], item["session"])
        for item in waiting(asking, "recommendations", due="overdue")
        if "session" in item and "since" in item
    }
    assert overdue["disposition", f"recommendation/{reference}"] == ("2024-05-06", "2024-05-08", "session/655")
    due = {item["stream"]: item["due"] for item in waiting(asking, "recommendations", kind="reporting_duty")}
    assert due[f"instrument/{later}"] == "2024-05-06"


def test_counts_are_of_all_that_match_whatever_is_chosen_of_the_same_filter(caller: Call) -> None:
    asking, theme = caller(), new_id("theme")
    references = []
    for _ in range(3):
        body = draft(themes=[theme])
        references.append(body["reference"])
        accepted(asking.post("recommendations", "/recommendations", body))
    silent = {"status": "unknown", "note": "Synthetic: the record is silent."}
    accepted(asking.post("recommendations", f"/recommendations/{references[0]}/adopt", silent))
    for reference, version in zip(references, (2, 1, 1), strict=True):
        asking.get("recommendations", f"/recommendations/{reference}", at_least=version, wait=20)
    page = asking.get(
        "recommendations", "/recommendations", theme=theme, stage="adopted", limit=1, counts="true"
    ).json()
    assert [item["stream"] for item in page["items"]] == [f"recommendation/{references[0]}"]
    assert page["counts"] == {"stage": {"adopted": 1, "drafted": 2}}
    assert "counts" not in asking.get("recommendations", "/recommendations", theme=theme).json()


def test_a_focal_point_counts_its_own_members_records_alone(caller: Call) -> None:
    fiji = caller("focal_point", member="FJI")
    counts = fiji.get("nominations", "/nominations", counts="true").json()["counts"]
    assert set(counts["member"]) <= {"FJI"}
    assert set(counts) == {"stage", "member", "category", "capacity"}


def test_what_operators_must_decide_on_is_read_by_the_secretariat(caller: Call) -> None:
    asking = caller()
    for service in (*SERVICES, "nominations"):
        for path in ("/stalled", "/stalled/reasons", "/dead-letters", "/refusals"):
            assert asking.get(service, path).status_code == 200, (service, path)


def test_the_proceedings_of_a_meeting_name_its_part_in_each_recommendation(caller: Call) -> None:
    asking, chair, key = caller(), caller("chair"), new_id("meeting")
    recorded = {"meeting": key, "title": "Synthetic forum", "kind": "forum", "starts_at": "2021-03-01"}
    accepted(asking.post("meetings", "/recorded-meetings", recorded))
    decision = {"outcome": "o1", "kind": "decision", "text": "Synthetic decision"}
    done = accepted(asking.post("meetings", f"/meetings/{key}/outcomes", decision))
    asking.get("recommendations", f"/meetings-heard/{key}", at_least=done["version"], wait=20)
    body = draft()
    path = f"/recommendations/{body['reference']}"
    accepted(asking.post("recommendations", "/recommendations", body))
    accepted(asking.post("recommendations", f"{path}/discuss", {"meeting": key}))
    problem(chair.post("recommendations", f"{path}/adopt", {"meeting": key}), 422, "ChairAdoptsOnADecision")
    problem(chair.post("recommendations", f"{path}/adopt", {"meeting": key, "outcome": "o9"}), 422,
            "AdoptionRestsOnUnknownDecision")  # fmt: skip
    done = accepted(chair.post("recommendations", f"{path}/adopt", {"meeting": key, "outcome": "o1"}))
    asking.get("recommendations", path, at_least=done["version"], wait=20)
    shown = asking.get("recommendations", f"/proceedings/{key}").json()
    assert [outcome["text"] for outcome in shown["outcomes"]] == ["Synthetic decision"]
    assert shown["recommendations"] == [
        {
            "reference": body["reference"],
            "title": "Synthetic recommendation",
            "stage": "adopted",
            "parts": [{"part": "discussion", "version": 2}, {"part": "adoption", "version": 3, "outcome": "o1"}],
        }
    ]
    problem(asking.get("recommendations", f"/proceedings/{new_id()}"), 404, "NotOnRecord")
