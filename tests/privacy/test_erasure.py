"""Two persons on real servers: their stored data, their report, and the state after their erasure."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import bson
import pytest
from pymongo import MongoClient

from services.recommendations.trace import trace_bytes
from tests.cli.terminal import output_of, throughline
from tests.journey.office import Desk
from tests.journey.topics import everything_on
from tests.patience import AT_MOST_SECONDS
from tools.cli.privacy import in_words
from tools.deployment import grants
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
KEY = uuid4().hex[:8]
EXPERT, READER = f"expert-{KEY}", f"reader-{KEY}"
NAME, CONTACT = f"Synthetic Nominee {KEY}", f"nominee-{KEY}@example.org"
ABOUT = f"Synthetic words about nobody {KEY}"
LATER_NAME, LATER_CONTACT = f"Synthetic Renamed {KEY}", f"renamed-{KEY}@example.org"
READS, ADDRESS = f"Synthetic Subscriber {KEY}", f"subscriber-{KEY}@example.org"
SECRETS = (NAME, CONTACT, ABOUT, LATER_NAME, LATER_CONTACT, READS, ADDRESS)
REFERENCE = "SYN/2033/R7"


@dataclass
class World:
    """The office, with the traces and ledgers before any erasure."""

    stack: Stack
    office: Desk
    folder_before: Path
    export_before: bytes
    traces: dict[str, bytes]
    ledgers: dict[str, list[Any]]


def nomination(key: str, **more: Any) -> dict[str, Any]:
    return {
        "nomination": key,
        "member": "FJI",
        "details": {"name": NAME, "contact": CONTACT, "about": ABOUT},
        "note_verbale": {"channel": "note_verbale", "reference": "SYN/1"},
        "institution": "Synthetic ministry",
        "category": "official",
    } | more


def completed(**more: Any) -> dict[str, Any]:
    return {name: value for name, value in nomination("", **more).items() if name not in {"nomination", "member"}}


def traces_of(office: Desk) -> dict[str, bytes]:
    items = office.query("recommendations", "/traces", limit=1000)["items"]
    return {trace["recommendation"]["reference"]: trace_bytes(trace) for trace in items}


def ledgers_of(stack: Stack) -> dict[str, list[Any]]:
    """Return every entry of every ledger, in order: stream, version, leaf hash."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        ledgers = {service: client[grants.database(service)].ledger.find().sort("_id", 1) for service in ALL_FOUR}
        return {service: [entry for batch in all_ for entry in batch["entries"]] for service, all_ in ledgers.items()}


def stored_bytes(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield all stored bytes: every document of every database, every record on a topic, every log."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        for service, name in ((s, n) for s in ALL_FOUR for n in client[grants.database(s)].list_collection_names()):
            for document in client[grants.database(service)][name].find():
                yield f"{service}.{name}", bson.encode(document)
        for entry in client["local"]["oplog.rs"].find():
            yield "the operation log", bson.encode(entry)
    for record in everything_on(stack.kafka, *ALL_FOUR):
        headers = b"".join(value for _, value in record.headers)
        yield record.origin, (record.key or b"") + (record.value or b"") + headers
    for log in Path(stack.home / "logs").glob("*.log"):
        yield log.name, log.read_bytes()


def exported(stack: Stack, folder: Path) -> bytes:
    """Return the bytes of a new export."""
    done = throughline(stack, "audit", "export", str(folder))
    assert done.exit_code == 0, done.output
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def covers(stack: Stack, service: str, page: dict[str, Any]) -> bool:
    """Return True if the newest checkpoint of a service covers every published event."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        published = client[grants.database(service)].relay.find_one({"_id": "published"}) or {"position": 0}
    return bool(page["items"]) and page["items"][-1]["size"] >= published["position"]


def clear_text_found(stack: Stack) -> list[tuple[str, str]]:
    everything = list(stored_bytes(stack))
    assert len({where for where, _ in everything}) > 12
    assert any(EXPERT.encode() in what for _, what in everything), "the search finds what is there"
    pairs = itertools.product(everything, SECRETS)
    return [(where, secret) for (where, content), secret in pairs if secret.encode() in content]


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> World:
    """An expert who attended the meeting of an adoption, and a subscriber to that adoption."""
    office, fiji = Desk(stack), Desk(stack, "focal_point", member="FJI")
    fiji.send("nominations", "/nominations", **nomination(f"n-{KEY}", person=EXPERT))
    office.send("nominations", f"/nominations/n-{KEY}/return", reason="Synthetic")
    fiji.send("nominations", f"/nominations/n-{KEY}/resubmit", **completed(details={"name": NAME, "contact": CONTACT}))
    fiji.send("nominations", f"/nominations/n-{KEY}/amend", **completed(details={"name": NAME, "contact": CONTACT}))
    office.send("nominations", f"/nominations/n-{KEY}/accept")
    office.query_until("nominations", "/memberships", lambda page: bool(page["items"]), nomination=f"n-{KEY}")
    later = {"name": LATER_NAME, "contact": LATER_CONTACT}
    fiji.send("nominations", f"/memberships/n-{KEY}/change", changed_on="2023-02", details=later)
    meeting = {"title": "Synthetic", "kind": "forum", "starts_at": "2023-01-01", "modality": "hybrid"}
    office.send("meetings", "/recorded-meetings", meeting=f"m-{KEY}", **meeting)
    office.send("meetings", f"/meetings/m-{KEY}/attendance", membership=f"n-{KEY}", presence="in_room")
    office.send(
        "notifications", "/subscriptions", subscription=f"s-{KEY}", person=READER,
        details={"name": READS, "address": ADDRESS}, events=["RecommendationDiscussed"],
    )  # fmt: skip
    office.query("notifications", f"/subscriptions/s-{KEY}", at_least=1, wait=20)
    office.send("recommendations", "/recommendations", reference=REFERENCE, title="Synthetic")
    office.send("recommendations", f"/recommendations/{REFERENCE}/discuss", meeting=f"m-{KEY}")
    office.query("recommendations", f"/traces/{REFERENCE}", at_least=2, wait=20)
    office.query_until(
        "notifications", "/notifications", lambda page: bool(page["items"]), standing="delivered",
        subscription=f"s-{KEY}",
    )  # fmt: skip
    office.query_until("nominations", "/log/checkpoints", lambda page: covers(stack, "nominations", page))
    before = tmp_path_factory.mktemp("before") / "export"
    return World(stack, office, before, exported(stack, before), traces_of(office), ledgers_of(stack))


def report_of(world: World, person: str) -> dict[str, Any]:
    done = throughline(world.stack, "privacy", "export", person, "--format", "json")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def report(world: World) -> dict[str, Any]:
    """The report on the expert before the erasure."""
    return report_of(world, EXPERT)


@pytest.fixture(scope="module")
def erased(world: World, report: dict[str, Any]) -> World:
    """The same world with both persons erased."""
    assert report
    assert clear_text_found(world.stack) == []
    for person, service in ((EXPERT, "nominations"), (READER, "notifications")):
        done = throughline(world.stack, "privacy", "erase", person, "--reason", "Synthetic request", "--yes")
        assert done.exit_code == 0, done.output
        assert output_of(done).endswith(f"{service}: erased; the key is destroyed.")
    return world


def test_a_person_receives_all_held_data(report: dict[str, Any]) -> None:
    events = {
        service: [(e["event"]["type"].split(".")[2], e["event"]["subject"]) for e in answer["events"]]
        for service, answer in report["services"].items()
    }
    stream = f"nomination/n-{KEY}"
    assert events["nominations"] == [
        ("MembershipBegan", f"membership/n-{KEY}"),
        ("ExpertDetailsChanged", f"membership/n-{KEY}"),
        ("NominationSubmitted", stream),
        ("NominationReturned", stream),
        ("NominationResubmitted", stream),
        ("NominationAmended", stream),
        ("NominationAccepted", stream),
    ]
    assert events["meetings"] == [("AttendanceRecorded", f"meeting/m-{KEY}")]
    assert events.keys() == {"nominations", "meetings"}
    opened = [each["opened"] for each in report["services"]["nominations"]["events"] if "opened" in each]
    again = {"name": NAME, "contact": CONTACT}
    later = {"name": LATER_NAME, "contact": LATER_CONTACT}
    assert opened == [later, again | {"about": ABOUT}, again, again]


def test_held_data_are_reported_in_words(erased: World, report: dict[str, Any]) -> None:
    text_before = "\n".join(in_words(report))
    assert f"contact (sealed): {CONTACT}" in text_before
    read = throughline(erased.stack, "privacy", "export", READER).output
    assert "NotificationDelivered" in read
    assert "sealed: [erased]" in read
    assert ADDRESS not in read


def test_no_clear_text_is_found_after_erasure(erased: World) -> None:
    assert clear_text_found(erased.stack) == []


def test_exports_hold_the_box_and_never_the_name_and_continue_each_other(
    erased: World, report: dict[str, Any], tmp_path: Path
) -> None:
    [box] = {
        each["event"]["data"]["sealed"]["box"]
        for each in report["services"]["nominations"]["events"]
        if each["event"]["type"].endswith("NominationSubmitted.v1")
    }
    after = exported(erased.stack, tmp_path / "after")
    for export in (erased.export_before, after):
        assert box.encode() in export
        assert not [secret for secret in SECRETS if secret.encode() in export]
    since = ["--since", str(erased.folder_before)]
    for arguments in (["verify", str(tmp_path / "after"), *since], ["compare", str(tmp_path / "after"), "--offline"]):
        done = throughline(None, "audit", *arguments)
        assert done.exit_code == 0, done.output


def test_the_keys_are_destroyed(erased: World) -> None:
    with MongoClient[dict[str, Any]](erased.stack.mongodb_admin_uri) as client:
        for service, person in (("nominations", EXPERT), ("notifications", READER)):
            left = client[grants.database(service)]["keys"].find_one({"_id": person})
            assert left is not None
            assert left.keys() <= {"_id", "erased", "owner"}


def test_traces_and_ledgers_are_unchanged(erased: World) -> None:
    assert traces_of(erased.office).items() >= erased.traces.items()
    after = ledgers_of(erased.stack)
    for service, before in erased.ledgers.items():
        assert after[service][: len(before)] == before, service
    digest = hashlib.sha256(b"".join(erased.traces.values())).hexdigest()
    assert hashlib.sha256(b"".join(traces_of(erased.office)[r] for r in erased.traces)).hexdigest() == digest
    replayed = throughline(erased.stack, "replay", "--from", "kafka", "--compare")
    assert replayed.exit_code == 0, replayed.output


def test_readers_see_that_a_person_was_erased(erased: World) -> None:
    shown = erased.office.query("nominations", f"/nominations/n-{KEY}")["state"]
    assert shown["details"] == {"name": "[erased]", "contact": "[erased]"}
    assert shown["stage"] == "accepted"
    subscription = erased.office.query("notifications", f"/subscriptions/s-{KEY}")["state"]
    assert subscription["details"] == {"name": "[erased]", "address": "[erased]"}
    events = report_of(erased, EXPERT)["services"]["nominations"]["events"]
    assert [each["opened"] for each in events if "opened" in each] == ["[erased]"] * 4
    roster = erased.office.query("nominations", "/roster", limit=1_000)["items"]
    assert [each["details"]["name"] for each in roster if each["person"] == EXPERT] == ["[erased]"]
    assert events[0]["event"]["data"] == {"person": EXPERT, "reason": "Synthetic request"}
    assert events[0]["event"]["type"] == "throughline.nominations.ExpertErased.v1"


def test_no_new_data_are_sealed_under_an_erased_id(erased: World) -> None:
    fiji = Desk(erased.stack, "focal_point", member="FJI")
    more = nomination(f"again-{KEY}", person=EXPERT)
    assert fiji.refused("nominations", "/nominations", **more) == "PersonWasErased"
    assert erased.office.refused("nominations", "/nominations", **more) == "PersonWasErased"
    changed = {"changed_on": "2023-03", "details": {"name": NAME, "contact": CONTACT}}
    assert fiji.refused("nominations", f"/memberships/n-{KEY}/change", **changed) == "PersonWasErased"
    again = {"person": READER, "details": {"name": READS, "address": ADDRESS}, "events": ["MeetingHeld"]}
    assert erased.office.refused("notifications", "/subscriptions", **again) == "PersonWasErased"
    assert clear_text_found(erased.stack) == [], "the refusals store no personal data"


def test_the_subscriptions_of_an_erased_person_end(erased: World) -> None:
    erased.office.query_until("notifications", f"/subscriptions/s-{KEY}", lambda s: s["state"]["stage"] == "removed")
    auditor = Desk(erased.stack, "auditor")
    assert len(auditor.query("notifications", "/notifications", subscription=f"s-{KEY}")["items"]) == 1


def test_a_second_erasure_changes_nothing_and_an_unknown_person_is_refused(erased: World) -> None:
    again = throughline(erased.stack, "privacy", "erase", EXPERT, "--reason", "Synthetic", "--yes")
    assert again.exit_code == 0
    assert output_of(again).endswith("nominations: was erased before.")
    nobody = throughline(erased.stack, "privacy", "erase", f"nobody-{KEY}", "--reason", "Synthetic", "--yes")
    assert nobody.exit_code == 1
    assert output_of(nobody).endswith(f"Nothing was ever sealed of nobody-{KEY}: check the id.")
    assert throughline(erased.stack, "privacy", "export", f"nobody-{KEY}").exit_code == 1
    assert throughline(erased.stack, "privacy", "erase", "a name", "--reason", "Synthetic", "--yes").exit_code == 2


def test_a_key_restored_from_a_backup_is_destroyed_at_startup(erased: World) -> None:
    with MongoClient[dict[str, Any]](erased.stack.mongodb_admin_uri) as client:
        keys = client[grants.database("nominations")]["keys"]
        keys.replace_one({"_id": EXPERT}, {"key": b"k" * 32, "owner": "FJI"})
        erased.stack.kill("nominations")
        erased.stack.start_one("nominations")
        until = time.monotonic() + AT_MOST_SECONDS
        while "key" in (keys.find_one({"_id": EXPERT}) or {}):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert keys.find_one({"_id": EXPERT}) == {"_id": EXPERT, "owner": "FJI", "erased": True}


def test_a_government_cannot_use_the_person_id_of_another(world: World) -> None:
    fiji, tuvalu = (Desk(world.stack, "focal_point", member=member) for member in ("FJI", "TUV"))
    person = f"named-{KEY}"
    fiji.send("nominations", "/nominations", **nomination(f"first-{KEY}", person=person))
    second = nomination(f"second-{KEY}", person=person, member="TUV")
    assert tuvalu.refused("nominations", "/nominations", **second) == "PersonIsAnotherMembers"
    tuvalu.send("nominations", "/nominations", **nomination(f"third-{KEY}", member="TUV"))
    world.office.send("nominations", f"/nominations/third-{KEY}/return", reason="Synthetic")
    again = completed(person=person)
    assert tuvalu.refused("nominations", f"/nominations/third-{KEY}/resubmit", **again) == "PersonIsAnotherMembers"
    fiji.send("nominations", "/nominations", **nomination(f"fourth-{KEY}", person=person))


def test_only_the_secretariat_erases_and_reads_the_report(world: World) -> None:
    for role in ("auditor", "operator", "chair", "expert", "focal_point"):
        desk = Desk(world.stack, role, member="FJI" if role == "focal_point" else None)
        for service, path in (("nominations", "/experts"), ("notifications", "/subscribers")):
            assert desk.refused(service, f"{path}/anybody/erase", reason="Synthetic") == "RoleMayNot"
