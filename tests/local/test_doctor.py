"""`throughline doctor` on real servers: what is broken on purpose is named and not mended, health gives nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pymongo import MongoClient
from typer.testing import Result

from tests.certificates import Authority
from tests.cli.terminal import throughline
from tests.faults.relaying import administrator
from tools.deployment import grants, kafka_users, topics
from tools.deployment.doctor import kafka, mongodb
from tools.deployment.doctor.kafka_rights import TOPIC
from tools.deployment.kafka_requests import ALLOW, LITERAL, Acl, CreateAcls
from tools.deployment.secret_checks import ENDS_SOON
from tools.local import ports
from tools.local.mongodb import MongoDB
from tools.local.processes import end, spawn, wait_until
from tools.local.stack import ALL_FOUR, Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names"), pytest.mark.drill]

MEETINGS = "throughline.meetings"
WRITE = 4
NOT_HERE = {*ALL_FOUR, "versions", "certificates", "settings"}
"""The checks that servers without services, without TLS and of a local stack leave unmade."""


@pytest.fixture(autouse=True)
def any_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk of the machine that runs the tests be as full as it is."""
    for module in (kafka, mongodb):
        monkeypatch.setattr(module, "FULL_FROM", 1.0)


def doctor(servers: Stack | None, *arguments: str, **environment: str) -> Result:
    return throughline(servers, "doctor", *arguments, **environment)


def checks(done: Result, state: str) -> dict[str, list[str]]:
    """Return what each check in a state says."""
    outcomes: dict[str, list[str]] = {}
    for each in json.loads(done.output)["checks"]:
        if each["state"] == state:
            outcomes.setdefault(each["check"], []).append(each["says"])
    return outcomes


def findings(servers: Stack, *arguments: str) -> dict[str, list[str]]:
    done = doctor(servers, "--format", "json", *arguments)
    assert done.exit_code in (0, 1), done.output
    wrong = checks(done, "wrong")
    assert (done.exit_code == 1) == bool(wrong)
    return wrong


@contextmanager
def topic_setting(servers: Stack, **changed: str) -> Iterator[None]:
    async def alter(settings: dict[str, str]) -> None:
        async with administrator(servers.kafka_admin) as admin:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, MEETINGS, settings)])

    declared = topics.declared()
    own = {**declared.config, **declared.config_when_created}
    asyncio.run(alter({**own, **{name.replace("_", "."): value for name, value in changed.items()}}))
    try:
        yield
    finally:
        asyncio.run(alter(own))


@contextmanager
def right_on_kafka(servers: Stack) -> Iterator[None]:
    """Let nominations write the topic of meetings."""
    acl = Acl(TOPIC, MEETINGS, LITERAL, "User:nominations", "*", WRITE, ALLOW)

    async def give() -> None:
        async with administrator(servers.kafka_admin) as admin:
            answer: Any = await admin._send_to_controller(CreateAcls([acl]))
            assert answer.creation_responses[0][0] == 0

    asyncio.run(give())
    try:
        yield
    finally:
        kafka_users.ensure(servers.kafka_admin, servers.memory.kafka_passwords())


@contextmanager
def rights_in_mongodb(servers: Stack) -> Iterator[None]:
    """Let meetings delete its record, and not read its staff; and let a stranger in."""
    changed = grants.privileges("meetings")
    for each in changed:
        if each["resource"]["collection"] == "commits":
            each["actions"] = [*each["actions"], "remove"]
        if each["resource"]["collection"] == "staff":
            each["actions"] = [action for action in each["actions"] if action != "find"]
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        own = client["throughline_meetings"]
        own.command("updateRole", "meetings", privileges=changed)
        own.command("createUser", "stranger", pwd="synthetic", roles=["read"])
        try:
            yield
        finally:
            own.command("dropUser", "stranger")
            grants.grant(servers.mongodb_admin_uri, {"meetings": servers.memory.password("meetings")})


@contextmanager
def missing_index(servers: Stack) -> Iterator[None]:
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        commits = client["throughline_meetings"]["commits"]
        commits.drop_index("command_id")
        try:
            yield
            assert "command_id" not in commits.index_information(), "the command changed something"
        finally:
            assert throughline(servers, "indexes", "ensure").exit_code == 0


def test_healthy_servers_give_no_finding_and_say_what_was_not_looked_at(servers: Stack) -> None:
    done = doctor(servers, "--format", "json")
    assert (done.exit_code, checks(done, "wrong")) == (0, {}), done.output
    assert checks(done, "not checked").keys() == NOT_HERE
    fine = checks(done, "fine")
    assert {name.partition(" ")[0] for name in fine} == {"kafka", "mongodb"}
    assert len(fine["mongodb rights"]) == len(fine["mongodb indexes"]) == len(ALL_FOUR)
    assert {"kafka topics", "kafka rights", "kafka passwords", "kafka settings", "kafka versions", "kafka disk"} <= (
        fine.keys()
    )
    text = doctor(servers)
    assert text.exit_code == 0
    assert f"checks: 0 wrong, {len(NOT_HERE)} not checked, " in text.output
    passwords = [*servers.memory.kafka_passwords().values(), servers.memory.password("admin")]
    assert not any(password in text.output + done.output for password in passwords)


def test_a_topic_of_other_settings_is_named(servers: Stack) -> None:
    with topic_setting(servers, retention_ms="1000"):
        assert findings(servers) == {"kafka topics": [f"{MEETINGS}: retention.ms is 1000, declared -1"]}


def test_a_topic_with_too_few_copies_is_named(servers: Stack) -> None:
    wrong = findings(servers, "--profile", "deployed")["kafka topics"]
    assert f"{MEETINGS}: 1 copies of each record, declared 3" in wrong


def test_a_right_on_kafka_that_is_too_wide_is_named(servers: Stack) -> None:
    with right_on_kafka(servers):
        assert findings(servers) == {
            "kafka rights": [
                f"User:nominations may write to the topic {MEETINGS}, which deploy/kafka.yaml does not declare"
            ]
        }


def test_rights_in_mongodb_too_wide_and_too_narrow_are_named_and_a_stranger(servers: Stack) -> None:
    with rights_in_mongodb(servers):
        assert findings(servers) == {
            "mongodb rights": [
                "meetings may, undeclared, remove on throughline_meetings.commits",
                "meetings lacks the right to find on throughline_meetings.staff",
                "there is another user, stranger",
            ]
        }


def test_a_missing_index_is_named_and_not_made(servers: Stack) -> None:
    with missing_index(servers):
        assert findings(servers) == {"mongodb indexes": ["the index command_id of commits is missing"]}
        text = doctor(servers)
    assert "to do: throughline indexes ensure meetings" in text.output


def test_disks_fuller_than_their_bound_are_named(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (kafka, mongodb):
        monkeypatch.setattr(module, "FULL_FROM", 0.0)
    wrong = findings(servers)
    assert wrong.keys() == {"kafka disk", "mongodb disk"}
    assert all(says.endswith("% full") for [says] in wrong.values())


def test_a_certificate_that_ends_tomorrow_is_named(servers: Stack, tmp_path: Path) -> None:
    issued = Authority(tmp_path).issue("synthetic", "127.0.0.1", valid=ENDS_SOON / 30)
    [says] = findings(servers, "--certificate", str(issued.both))["certificates"]
    assert "within 30 days" in says


def test_a_wrong_password_is_named_by_kind(servers: Stack, tmp_path: Path) -> None:
    settings = {f"THROUGHLINE_{name.upper()}": value for name, value in servers.kafka_admin.settings().items()}
    settings |= {"THROUGHLINE_KAFKA_PASSWORD": "wrong"}
    uri = servers.mongodb_admin_uri.replace(servers.memory.password("admin"), "wrong")
    done = doctor(None, "--mongodb", uri, "--format", "json", **settings)
    wrong = checks(done, "wrong")
    assert done.exit_code == 1
    assert "does not accept the user admin with this password" in wrong["kafka"][0]
    assert "does not accept the user with this password" in wrong["mongodb"][0]


def test_a_password_that_a_server_does_not_know_is_named(servers: Stack, tmp_path: Path) -> None:
    for kind, users in (("kafka", servers.memory.kafka_passwords()), ("mongodb", dict.fromkeys(ALL_FOUR, "wrong"))):
        folder = tmp_path / kind / "passwords"
        folder.mkdir(parents=True)
        for user, password in users.items():
            (folder / user).write_text("wrong" if user == "meetings" else password)
    settings = {f"THROUGHLINE_{name.upper()}": value for name, value in servers.kafka_admin.settings().items()}
    arguments = ("--mongodb", servers.mongodb_admin_uri, "--secrets", str(tmp_path), "--profile", "local")
    done = doctor(None, *arguments, "--format", "json", **settings)
    wrong = checks(done, "wrong")
    assert wrong.keys() == {"kafka passwords", "mongodb passwords"}, done.output
    [says] = wrong["kafka passwords"]
    assert "does not accept the user meetings with this password" in says


def test_in_the_container_of_a_service_what_its_user_may_not_see_is_unchecked(servers: Stack) -> None:
    done = doctor(None, "--format", "json", "--profile", "local", **servers.environment("meetings"))
    wrong, unchecked = checks(done, "wrong"), checks(done, "not checked")
    assert wrong.keys() == {"settings"}, done.output
    assert any(says.startswith("THROUGHLINE_KAFKA_PROTOCOL: in production") for says in wrong["settings"])
    assert "give the administrator's" in unchecked["kafka rights"][0]
    assert len(unchecked["mongodb rights"]) == len(unchecked["mongodb indexes"]) == len(ALL_FOUR) - 1
    assert checks(done, "fine")["mongodb rights"] == ["as deploy/mongodb.yaml declares"]
    assert unchecked["kafka topics"] == ["the user meetings may not read them"]


@pytest.mark.drill
def test_a_mongod_that_wants_tls_is_told_apart_from_one_that_is_away(tmp_path: Path) -> None:
    authority, own = Authority(tmp_path / "ca"), MongoDB(tmp_path, ports.choose(()), "", lambda _: None)
    own.prepare()
    issued = authority.issue("mongod", "127.0.0.1", valid=timedelta(days=1))
    tls = ("--tlsMode=requireTLS", f"--tlsCertificateKeyFile={issued.both}", f"--tlsCAFile={authority.file}")
    command = [*own.command(), *tls, "--tlsAllowConnectionsWithoutCertificates"]
    child = spawn("mongodb", command, tmp_path / "log", own.environment())
    uri = f"mongodb://{own.where}/?directConnection=true"
    try:
        wait_until(child, lambda: ports.answers(own.where))
        plain, unknown, trusted = (
            checks(doctor(None, "--mongodb", uri + options, "--format", "json"), "wrong")
            for options in ("", "&tls=true", f"&tls=true&tlsCAFile={authority.file}")
        )
    finally:
        end([child])
    assert plain["mongodb"][0].endswith("speaks TLS, and this URI does not: add the option tls=true")
    assert "is not trusted: its certificate is of an unknown CA" in unknown["mongodb"][0]
    assert len([says for says in unknown["certificates"] if "within 30 days" in says]) == 1
    assert len(trusted["certificates"]) == 2, "the server's, and the authority's, which the tests make for an hour"
    assert "mongodb" not in trusted


@pytest.mark.drill
def test_the_whole_platform_gives_no_finding_and_a_stopped_service_one(tmp_path: Path) -> None:
    with temporary(say=lambda _: None) as stack:
        done = doctor(stack, "--format", "json")
        assert (done.exit_code, checks(done, "wrong")) == (0, {}), done.output
        fine = checks(done, "fine")
        assert {*ALL_FOUR, "versions"} <= fine.keys()
        assert fine["meetings"] == ["ready", "nothing that an alert would go off for"]
        stack.kill("meetings")
        wrong = findings(stack)
        assert wrong == {"meetings": ["does not answer (ConnectError)"]}
        stack.kill("mongodb")
        wrong = findings(stack)
        assert wrong["mongodb"][0].startswith("does not answer (ServerSelectionTimeoutError)")
        stack.kill("kafka")
        assert "does not answer (KafkaConnectionError)" in findings(stack)["kafka"][0]
