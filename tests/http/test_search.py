"""Search on the real servers: what a word, a name or its beginning finds, for whom, and after what changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unicodedata import normalize

import pytest

from services.meetings import projection as meetings
from services.nominations import projection as nominations
from services.recommendations import projection as recommendations
from shared.domain.search import entries_of, lines_of, terms_of
from shared.events.catalogue import decode
from tests.http.asking import Caller, Records, accepted, draft, meeting, new_id, nomination, problem
from tools.deployment import grants
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
REASON = "Synthetic slip of the pen"
OWNERS = {"meetings": meetings.OWN, "nominations": nominations.OWN, "recommendations": recommendations.OWN}


@pytest.fixture
def word() -> str:
    """A word that no other record has."""
    return new_id("w").replace("-", "")


def search(asking: Caller, service: str, q: str, **more: Any) -> list[dict[str, Any]]:
    answer = asking.get(service, "/search", q=q, **more)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def streams(asking: Caller, service: str, q: str, **more: Any) -> list[str]:
    return [item["stream"] for item in search(asking, service, q, **more)]


def shown(asking: Caller, service: str, path: str, version: int) -> None:
    """Wait until a service shows a version of a record."""
    assert asking.get(service, path, at_least=version, wait=20).status_code == 200


def instrument(asking: Caller, word: str) -> str:
    """Register an instrument with three provisions."""
    key = f"{word}-1"
    body = {
        "instrument": key, "cite": f"Synthetic resolution {word}/4", "body": "SYN", "title": f"Région of {word}",
        "symbol": f"SYN/RES/{word}/4",
    }  # fmt: skip
    accepted(asking.post("recommendations", "/instruments", body))
    summaries = (f"Asks for {word} a report", f"Invites {word} Governments", "Requests nothing")
    for number, summary in enumerate(summaries, 1):
        provision = {"provision": f"{key}/op-{number}", "paragraph": str(number), "summary": f"{summary} on coasts"}
        accepted(asking.post("recommendations", f"/instruments/{key}/provisions", provision))
    shown(asking, "recommendations", f"/instruments/{key}", 4)
    return key


def test_names_come_before_titles_and_titles_before_texts(caller: Call, word: str) -> None:
    asking = caller()
    key, [one, other] = instrument(asking, word), [draft(title=f"About {word}"), draft(text=f"It invites {word}.")]
    for body in (other, one):
        accepted(asking.post("recommendations", "/recommendations", body))
        shown(asking, "recommendations", f"/recommendations/{body['reference']}", 1)
    by_word = search(asking, "recommendations", word)
    assert [(item["kind"], item["rank"]) for item in by_word] == [
        ("instrument", 1), ("recommendation", 2), ("provision", 3), ("provision", 3), ("provision", 3),
        ("recommendation", 3),
    ]  # fmt: skip
    references = [f"recommendation/{each['reference']}" for each in (one, other)]
    assert [item["stream"] for item in by_word[1::4]] == references
    [best] = search(asking, "recommendations", f"syn/res/{word}/4")
    assert (best["stream"], best["rank"], best["stage"]) == (f"instrument/{key}", 0, "registered")
    assert best["names"] == [key, f"Synthetic resolution {word}/4", f"SYN/RES/{word}/4"]
    assert streams(asking, "recommendations", one["reference"].lower())[0] == f"recommendation/{one['reference']}"
    assert streams(asking, "recommendations", f"SYN/RES/{word}") == [f"instrument/{key}"]


def test_a_provision_is_found_by_its_own_words_within_its_instrument(caller: Call, word: str) -> None:
    asking = caller("auditor")
    key = instrument(caller(), word)
    [provision] = search(asking, "recommendations", f"{word} govern", kind="provision")
    assert (provision["stream"], provision["key"]) == (f"instrument/{key}", f"{key}/op-2")
    assert provision["title"] == f"Synthetic resolution {word}/4, 2"
    marked = [provision["extract"][start:end] for start, end in provision["marks"]["extract"]]
    assert marked == [word, "Governments"]
    assert streams(asking, "recommendations", f"{word} report governments") == []
    assert streams(asking, "recommendations", f"{word} govern", kind="instrument") == []
    assert [each["key"] for each in search(asking, "recommendations", f"{word} requests")] == [f"{key}/op-3"]


def test_accents_case_and_the_form_of_a_text_do_not_count(caller: Call, word: str) -> None:
    asking = caller()
    key = instrument(asking, word)
    for text in (f"region {word}", f"RÉGION {word.upper()}", normalize("NFD", f"{word} région")):
        assert f"instrument/{key}" in streams(asking, "recommendations", text, kind="instrument"), text


@pytest.mark.parametrize("part", ["ป่าไม้", "नीति", "မြန်မာ", "发展"])
def test_a_word_is_searched_whole_whatever_its_script(part: str, caller: Call, word: str) -> None:
    asking = caller()
    titles = (f"{word} {part}", f"{word} {' '.join(part)}")
    for number, title in enumerate(titles):
        key = f"{word}-{number}"
        accepted(asking.post("meetings", "/meetings", meeting(key, title=title)))
        shown(asking, "meetings", f"/meetings/{key}", 1)
    assert streams(asking, "meetings", f"{word} {part}") == [f"meeting/{word}-0"]


def test_pages_hold_every_match_once_in_their_order(caller: Call, word: str) -> None:
    asking = caller()
    instrument(asking, word)
    accepted(asking.post("recommendations", "/recommendations", body := draft(title=f"About {word} and coasts")))
    shown(asking, "recommendations", f"/recommendations/{body['reference']}", 1)
    for text in (word, f"{word} coasts"):
        whole = search(asking, "recommendations", text)
        assert len(whole) >= 4
        for limit in (1, 2, 3):
            assert list(pages(asking, text, limit)) == whole


def pages(asking: Caller, text: str, limit: int) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        page = asking.get("recommendations", "/search", q=text, limit=limit, **after).json()
        yield from page["items"]
        if "next" not in page:
            return
        after = {"after": page["next"]}


def test_a_correction_and_a_void_change_what_is_found(caller: Call, word: str) -> None:
    asking, key = caller(), new_id("meeting")
    accepted(asking.post("meetings", "/meetings", meeting(key, title=f"Synthetic {word}")))
    right = {"corrects": 1, "data": meeting(key, title=f"Synthetic {word}2 corrected"), "reason": REASON}
    accepted(asking.post("meetings", f"/meetings/{key}/correct", right))
    shown(asking, "meetings", f"/meetings/{key}", 2)
    assert streams(asking, "meetings", f"{word} synthetic") == []
    assert streams(asking, "meetings", f"{word}2") == [f"meeting/{key}"]
    accepted(asking.post("meetings", f"/meetings/{key}/void", {"voids": 1, "reason": REASON}))
    shown(asking, "meetings", f"/meetings/{key}", 3)
    assert streams(asking, "meetings", f"{word}2") == []
    [void] = search(asking, "meetings", key)
    assert (void["stream"], void["stage"]) == (f"meeting/{key}", "void")
    accepted(asking.post("meetings", f"/meetings/{key}/void", {"voids": 3, "reason": REASON}))
    shown(asking, "meetings", f"/meetings/{key}", 4)
    assert streams(asking, "meetings", f"{word}2") == [f"meeting/{key}"]


def test_a_meeting_is_found_by_its_documents_and_agenda(caller: Call, word: str) -> None:
    asking, key = caller(), new_id("meeting")
    accepted(asking.post("meetings", "/meetings", meeting(key)))
    item = {"item": new_id("item"), "title": f"Item on {word}"}
    accepted(asking.post("meetings", f"/meetings/{key}/agenda", item))
    document = {
        "document": new_id("document"), "title": f"Paper {word}x", "symbol": f"SYN/{word}/INF/1",
        "renditions": [{"language": "en", "media_type": "application/pdf", "digest": "0" * 64}],
    }  # fmt: skip
    answer = asking.post("meetings", f"/meetings/{key}/documents", document)
    shown(asking, "meetings", f"/meetings/{key}", 3 if answer.status_code == 200 else 2)
    assert answer.status_code == 200, answer.text
    for text in (f"item {word}", f"paper {word}x", f"syn/{word}/inf/1", f"SYN/{word}"):
        assert streams(asking, "meetings", text) == [f"meeting/{key}"], text


def test_a_nomination_is_found_by_what_is_no_personal_data_and_by_whom_it_concerns(caller: Call, word: str) -> None:
    asking, key = caller(), new_id("nomination")
    body = nomination(key, institution=f"Institute {word}", expertise=[f"coasts {word}"], themes=["Synthetic theme"])
    accepted(
        asking.post(
            "nominations", "/nominations", body | {"details": {"name": f"Name {word}n", "contact": "synthetic"}}
        )
    )
    accepted(asking.post("nominations", f"/nominations/{key}/accept", {}))
    shown(asking, "nominations", f"/nominations/{key}", 2)
    shown(asking, "nominations", f"/memberships/{key}", 1)
    for text in (f"institute {word}", f"{word} coasts", f"{word} fiji", f"{word} FJI", key):
        assert f"nomination/{key}" in streams(asking, "nominations", text), text
    assert streams(asking, "nominations", f"{word}n") == []
    assert streams(asking, "nominations", f"{word}", kind="membership") == []
    assert streams(asking, "nominations", key) == [f"nomination/{key}", f"membership/{key}"]
    assert streams(caller("focal_point", member="FJI"), "nominations", word) == [f"nomination/{key}"]
    assert streams(caller("focal_point", member="TON"), "nominations", word) == []
    for service in OWNERS:
        problem(caller("operator").get(service, "/search", q=word), 403, "RoleMayNot")


@pytest.mark.parametrize(
    "text",
    [
        ".*", "^.*$", "$where", '{"$gt": ""}', '"quoted words"', "-minus", "vqz" * 166, "é" * 500, "e\u0301" * 250,
        "\u202ezqxzqx\u202c", "=?utf-8?q?words?=", "a b " * 125, " ".join(f"w{n}" for n in range(100)), "(((", "[a-z]",
        "\\", "%", "null", "水", "ก" * 500, "\U0001f600 x1", "=name", "^title", "\ud7fb\u1160",
    ],
)  # fmt: skip
@pytest.mark.parametrize("service", OWNERS)
def test_what_is_typed_is_text_and_no_pattern(text: str, service: str, caller: Call) -> None:
    answer = caller().get(service, "/search", q=text)
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert "two letters or digits" in problem(answer, 422, "SchemaViolation")["detail"]
    elif not text.isascii() or text in ("$where", "vqz" * 166, "[a-z]", '{"$gt": ""}'):
        assert answer.json()["items"] == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "query.q"), ({"q": ""}, "query.q"), ({"q": " . "}, "two letters or digits"), ({"q": "7"}, "two letters"),
        ({"q": "x" * 501}, "500"), ({"q": "words", "kind": "person"}, "query.kind"),
        ({"q": "words", "limit": "101"}, "query.limit"), ({"q": "words", "after": "4/0"}, "no place"),
        ({"q": "words", "after": "0/x"}, "no place"), ({"q": "words", "after": "meeting/x"}, "no place"),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused_in_words(query: dict[str, str], says: str, caller: Call) -> None:
    refused = problem(caller().get("meetings", "/search", **query), 422, "SchemaViolation")
    assert says in refused["detail"]


def test_states_rebuilt_and_replayed_have_the_terms_that_live_ones_have(
    caller: Call, word: str, records: Records, stack: Stack
) -> None:
    asking, key = caller(), new_id("record")
    instrument(asking, word)
    accepted(asking.post("meetings", "/meetings", meeting(key, title=f"Réunion {word} ป่าไม้")))
    accepted(asking.post("nominations", "/nominations", nomination(key)))
    for service, path in (("meetings", f"/meetings/{key}"), ("nominations", f"/nominations/{key}")):
        shown(asking, service, path, 1)
    for service, own in OWNERS.items():
        live = terms(records, service)
        assert live
        assert caller("operator").post(service, "/operations/rebuild").status_code == 200
        assert terms(records, service).items() >= live.items()
        for stream, stored in replayed(records, service, own).items():
            assert live.get(stream, stored) == stored, stream


def terms(records: Records, service: str) -> dict[str, Any]:
    rows = records._mongo[grants.database(service)].states.find({"terms": {"$exists": True}})
    return {row["_id"]: (row["terms"], row["lines"].split("\n")) for row in rows}


def replayed(records: Records, service: str, own: Any) -> dict[str, Any]:
    """Return the terms of a service's own streams, folded from its journal."""
    events: dict[str, list[Any]] = {}
    for row in records._mongo[grants.database(service)].journal.find().sort("_id", 1):
        if row["_id"]["s"].partition("/")[0] in own:
            events.setdefault(row["_id"]["s"], []).append(decode(bytes(row["raw"])))
    folded = {}
    for stream, recorded in events.items():
        aggregate = own[stream.partition("/")[0]]
        if entries := entries_of(aggregate, stream, aggregate.fold(recorded)):
            folded[stream] = terms_of(lines := lines_of(entries)), lines
    return folded
