"""`throughline doctor` where it needs no server of the platform: what it judges, and what it cannot look at."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from shared.events.services import SERVICES
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.tls import Tls
from tests.certificates import Authority, Issued
from tests.cli.terminal import throughline
from tools.deployment import grants, kafka_users, topics
from tools.deployment.doctor import certificates, kafka, kafka_rights, mongodb, mongodb_rights, services
from tools.deployment.doctor.checks import check
from tools.deployment.doctor.outcomes import Check
from tools.deployment.doctor.target import Target, read_secrets
from tools.deployment.kafka_requests import ALLOW, LITERAL, Acl

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
DECLARED = kafka_users.rights()
WRITE = Acl(kafka_rights.TOPIC, "throughline.meetings", LITERAL, "User:nominations", "*", 4, ALLOW)
STRANGER = WRITE._replace(principal="User:stranger")
NOBODY_THERE = "127.0.0.1:9"


def says(faults: Any) -> list[str]:
    return [fault for fault, _ in faults]


@asynccontextmanager
async def tls_server(issued: Issued) -> AsyncIterator[int]:
    """A server that speaks TLS and nothing else; yields its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.certificate, issued.key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_rights_on_kafka_as_declared_are_fine() -> None:
    assert list(kafka_rights.faults(DECLARED, DECLARED)) == []


def test_a_right_on_kafka_that_is_too_wide_or_lacking_is_named() -> None:
    assert says(kafka_rights.faults({*DECLARED, WRITE}, DECLARED)) == [
        "User:nominations may write to the topic throughline.meetings, which deploy/kafka.yaml does not declare"
    ]
    own = WRITE._replace(principal="User:meetings")
    assert says(kafka_rights.faults(DECLARED - {own}, DECLARED)) == [
        "User:meetings lacks the right to write to the topic throughline.meetings"
    ]


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (STRANGER, "write to the topic throughline.meetings"),
        (STRANGER._replace(name="throughline.", pattern=kafka_rights.PREFIXED), "write to the topic throughline.…"),
        (STRANGER._replace(name="*", operation=2), "do everything to the topic *"),
        (STRANGER._replace(resource=4, name="kafka-cluster", operation=7), "alter the cluster"),
    ],
)
def test_a_stranger_who_may_change_the_record_is_named(right: Acl, words: str) -> None:
    assert says(kafka_rights.faults({*DECLARED, right}, DECLARED)) == [
        f"User:stranger, whom deploy/kafka.yaml does not declare, may {words}"
    ]


@pytest.mark.parametrize(
    "right",
    [STRANGER._replace(operation=8), STRANGER._replace(name="another.topic"), STRANGER._replace(permission=2)],
)
def test_a_stranger_who_only_looks_or_writes_elsewhere_is_not(right: Acl) -> None:
    assert list(kafka_rights.faults({*DECLARED, right}, DECLARED)) == []


def test_a_service_may_read_the_settings_of_what_it_consumes() -> None:
    names = topics.declared().partitions
    assert kafka_rights.readable_by("nominations", names) == {"throughline.nominations", "throughline.checkpoints"}
    assert kafka_rights.readable_by("admin", names) == set(names)


def test_partitions_and_copies_that_differ_are_named() -> None:
    declared = topics.declared(profile="deployed")
    whole = [{"partition": number, "replicas": [1, 2, 3], "isr": [1, 2, 3]} for number in range(6)]
    assert says(kafka.partition_faults("throughline.meetings", whole, declared)) == []
    broken = [*whole[:4], {"partition": 4, "replicas": [1], "isr": [1]}]
    broken[0] = {"partition": 0, "replicas": [1, 2, 3], "isr": [1]}
    assert says(kafka.partition_faults("throughline.meetings", broken, declared)) == [
        "throughline.meetings: 5 partitions, declared 6",
        "throughline.meetings: 1 copies of each record, declared 3",
        "throughline.meetings: copies of the partitions 0 are not up to date",
    ]


def test_rights_in_mongodb_that_are_too_wide_or_lacking_are_named() -> None:
    declared = mongodb_rights.rights_of(grants.privileges("meetings"))
    assert list(mongodb_rights.faults("meetings", declared, declared)) == []
    resource = "throughline_meetings.commits"
    wider = declared | {("remove", resource), ("dropDatabase", "the cluster")}
    assert says(mongodb_rights.faults("meetings", wider, declared)) == [
        "meetings may, undeclared, dropDatabase on the cluster",
        f"meetings may, undeclared, remove on {resource}",
    ]
    narrower = declared - {("insert", resource)}
    assert says(mongodb_rights.faults("meetings", narrower, declared)) == [
        f"meetings lacks the right to insert on {resource}"
    ]


@pytest.mark.parametrize(
    ("valid", "state", "words"),
    [
        (DAY, "wrong", "within 30 days"),
        (-timedelta(minutes=1), "wrong", "it ended on"),
        (400 * DAY, "fine", "it ends on"),
    ],
)
def test_a_certificate_in_a_file_that_ends_soon_is_named(
    tmp_path: Path, valid: timedelta, state: str, words: str
) -> None:
    issued = Authority(tmp_path / "ca").issue("synthetic", valid=valid)
    outcome = certificates.of_file(issued.both, datetime.now(UTC))
    assert outcome.state == state
    assert words in outcome.says


def test_of_a_chain_the_first_end_counts_and_of_authorities_the_last(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    chain = tmp_path / "chain.pem"
    issued = [authority.issue(str(number), valid=valid) for number, valid in enumerate((DAY, 400 * DAY))]
    chain.write_bytes(b"".join(each.certificate.read_bytes() for each in issued))
    assert certificates.of_file(chain, NOW).state == "wrong"
    assert certificates.of_file(chain, NOW, max).state == "fine"


def test_a_file_without_a_certificate_is_wrong_and_an_absent_one_unchecked(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    assert certificates.of_file(tmp_path / "empty.pem", NOW).state == "wrong"
    assert certificates.of_file(tmp_path / "absent.pem", NOW).state == "not checked"


async def test_the_certificate_that_a_server_shows_is_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with tls_server(authority.issue("synthetic", "127.0.0.1", valid=DAY)) as port:
        place = f"127.0.0.1:{port}"
        target = Target(
            kafka=KafkaAccess(place, tls=Tls()),
            mongodb=f"mongodb://{place}/?tls=true",
            services={"meetings": f"https://{place}"},
        )
        outcomes = [each async for each in certificates.check(target)]
    assert {(each.subject, each.state) for each in outcomes} == {
        (f"{name} at {place}", "wrong") for name in ("Kafka", "MongoDB", "meetings")
    }


async def test_a_server_that_shows_no_certificate_is_unchecked() -> None:
    target = Target(services={"meetings": f"https://{NOBODY_THERE}"})
    assert [each.state async for each in certificates.check(target)] == ["not checked"]
    assert [each.state async for each in certificates.check(Target())] == ["not checked"]


async def test_plaintext_to_a_port_of_tls_is_named_by_kind(tmp_path: Path) -> None:
    async with tls_server(Authority(tmp_path).issue("synthetic", "127.0.0.1")) as port:
        place = f"127.0.0.1:{port}"
        outcomes = [each async for each in kafka.check(Target(kafka=KafkaAccess(place)))]
        assert [(each.state, "speaks TLS, and PLAINTEXT does not" in each.says) for each in outcomes] == [
            ("wrong", True)
        ]
        target = Target(services={"meetings": f"https://{place}"})
        [outcome] = [each async for each in services.check(target.services) if each.check == "meetings"]
    assert outcome.state == "wrong"
    assert "is not trusted: its certificate is of an unknown CA" in outcome.says


@pytest.mark.parametrize(
    ("hosts", "answers", "flags", "state"),
    [
        ("db.example.org:27017", True, "", "fine"),
        ("db.example.org:27017", False, "flags : avx", "not checked"),
        ("127.0.0.1:27017", False, "flags : fpu sse4_2", "wrong"),
        ("127.0.0.1:27017", False, "flags : fpu avx", "fine"),
    ],
)
def test_a_processor_without_avx_is_named(tmp_path: Path, hosts: str, answers: bool, flags: str, state: str) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text(f"processor : 0\n{flags}\n")
    assert mongodb.processor(hosts, answers=answers, cpu=cpu).state == state


def test_a_disk_that_fills_is_named() -> None:
    about = Check("mongodb disk", "synthetic")
    assert mongodb.disk_of(about, {"fsUsedSize": 71, "fsTotalSize": 100}).state == "wrong"
    assert mongodb.disk_of(about, {"fsUsedSize": 70, "fsTotalSize": 100}).state == "fine"
    assert mongodb.disk_of(about, {}).state == "not checked"


def test_a_member_is_reached_by_the_options_of_its_set() -> None:
    uri = "mongodb://a%40b:p%2Fw@one:1,two:2/?replicaSet=r&authSource=admin&tls=true"
    expected = "mongodb://a%40b:p%2Fw@two:2/?authSource=admin&tls=true&directConnection=true"
    assert mongodb.direct_uri(uri, "two", 2) == expected


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (200, {"ready": True, "troubles": {}}, []),
        (503, {"troubles": {"relay": "Kafka: TimeoutError"}}, ["not ready: relay: Kafka: TimeoutError"]),
        (200, {"troubles": {}, "warnings": {"keys": "old"}}, ["keys: old"]),
        (404, {"detail": "Not Found"}, ["the answer, 404, is no service's"]),
        (200, [], ["the answer, 200, is no service's"]),
    ],
)
def test_a_service_that_is_not_ready_gives_its_reasons(status: int, content: Any, expected: list[str]) -> None:
    assert says(services.readiness(httpx2.Response(status, content=json.dumps(content).encode()))) == expected


def test_figures_beyond_the_bound_of_an_alert_are_named_with_its_page() -> None:
    read = services.read_metrics(
        'throughline_build_info{python="3.12",service="meetings",version="1.2"} 1.0\n'
        'throughline_dead_letters_open{service="meetings"} 2.0\n'
        'throughline_clock_ahead_seconds{service="meetings"} -31.0\n'
        'throughline_unpublished_age_seconds{service="meetings"} 60.0\n'
    )
    assert read.version == "1.2"
    assert list(services.beyond(read.figures)) == [
        ("2 dead letters are open", "docs/runbooks/ThroughlineDeadLetters.md"),
        ("its clock is 31 s from MongoDB's", "docs/runbooks/ThroughlineClocksDiffer.md"),
    ]


def test_every_bound_is_an_alert_s_and_has_a_page() -> None:
    rules = (grants.CHECKOUT / "deploy/observability/prometheus/rules/throughline.yml").read_text()
    for bound in services.BOUNDS:
        assert f"alert: {bound.alert}\n" in rules
        assert bound.metric in rules
        assert (grants.CHECKOUT / f"docs/runbooks/{bound.alert}.md").exists()


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        ({services.COMMAND_LINE: "1.2", "meetings": "1.2"}, "fine"),
        ({services.COMMAND_LINE: "1.2", "meetings": "1.2", "nominations": "1.1"}, "wrong"),
        ({services.COMMAND_LINE: "1.2"}, "not checked"),
    ],
)
def test_mixed_versions_are_named(versions: Mapping[str, str], state: str) -> None:
    assert services.compare(versions).state == state


def test_the_folder_of_secrets_gives_passwords_and_names_what_it_cannot(tmp_path: Path) -> None:
    for user in SERVICES:
        file = tmp_path / "mongodb/passwords" / user
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"Synthetic {user}\n")
    secrets = read_secrets(tmp_path)
    assert secrets.mongodb == {user: f"Synthetic {user}" for user in SERVICES}
    assert secrets.kafka == {}
    assert {Path(each.subject).name for each in secrets.untried} == {*kafka_users.users()}
    assert {each.state for each in secrets.untried} == {"not checked"}


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"\n", "it is no password: it is empty"), (b"a\nb\n", "more than one line"), (b"\xff", "no text in UTF-8")],
)
async def test_a_password_that_is_spoilt_is_wrong_and_the_others_are_tried(
    tmp_path: Path, content: bytes, says: str
) -> None:
    folder = tmp_path / "mongodb/passwords"
    folder.mkdir(parents=True)
    for user in SERVICES:
        (folder / user).write_text("Synthetic\n")
    (folder / "meetings").write_bytes(content)
    secrets = read_secrets(tmp_path)
    (spoilt,) = [each for each in secrets.untried if each.subject == str(folder / "meetings")]
    assert (spoilt.state, says in spoilt.says) == ("wrong", True), spoilt
    assert spoilt in await check(Target(untried=secrets.untried))
    assert secrets.mongodb.keys() == {*SERVICES} - {"meetings"}


async def test_a_fifo_in_place_of_a_password_or_a_certificate_is_named_and_not_read(tmp_path: Path) -> None:
    file = tmp_path / "kafka/passwords/meetings"
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    says = {each.subject: each.says for each in read_secrets(tmp_path).untried}
    assert "not a regular file" in says[str(file)]
    target = Target(mongodb=f"mongodb://a:b@{NOBODY_THERE}/?tls=true&tlsCAFile={file}", certificates=[file])
    outcomes = [each async for each in mongodb.check(target)] + [each async for each in certificates.check(target)]
    assert [each.state for each in outcomes] == ["wrong", "not checked"]
    assert all("not a regular file" in each.says for each in outcomes)


def test_nothing_named_and_what_cannot_be_used_is_bad_input() -> None:
    nothing = throughline(None, "doctor")
    assert nothing.exit_code == 2
    assert "Nothing says where to look" in nothing.output
    assert throughline(None, "doctor", "--kafka", "no address").exit_code == 2
    assert throughline(None, "doctor", "--profile", "none").exit_code == 2
    absent = throughline(None, "doctor", "--mongodb", "mongodb://a@b/", "--password-file", "/nonexistent/password")
    assert absent.exit_code == 2


def test_a_deployment_that_is_away_is_a_finding_and_the_rest_unchecked() -> None:
    away = throughline(None, "doctor", "--kafka", NOBODY_THERE, "--format", "json")
    assert away.exit_code == 1, away.output
    checks = json.loads(away.output)["checks"]
    states = {each["check"]: each["state"] for each in checks}
    assert states["kafka"] == "wrong"
    assert {state for check, state in states.items() if check != "kafka"} == {"not checked"}
    assert "does not answer (KafkaConnectionError)" in away.output


def test_an_address_that_is_no_uri_is_named_without_its_password() -> None:
    done = throughline(None, "doctor", "--mongodb", "mongo://admin:Synthetic@db.example.org")
    assert done.exit_code == 1
    assert "is no MongoDB URI" in done.output
    assert "Synthetic" not in done.output


def test_unsafe_settings_of_a_service_are_named_as_production_names_them() -> None:
    environment = {
        "THROUGHLINE_DATABASE": "throughline_meetings",
        "THROUGHLINE_KAFKA": NOBODY_THERE,
        "THROUGHLINE_MONGODB": "nothing",
        "THROUGHLINE_JWKS": "http://login.example.org/jwks",
        "THROUGHLINE_ACTOR_KEY": "Synthetic key of thirty-two characters",
    }
    done = throughline(None, "doctor", "--format", "json", **environment)
    assert done.exit_code == 1, done.output
    settings = [each["says"] for each in json.loads(done.output)["checks"] if each["check"] == "settings"]
    begins = {line.partition(":")[0].partition(" ")[0] for line in settings}
    assert begins >= {
        "THROUGHLINE_MODE",
        "THROUGHLINE_JWKS",
        "THROUGHLINE_ISSUER",
        "THROUGHLINE_MONGODB",
        "THROUGHLINE_DEPLOYMENT",
        "THROUGHLINE_KAFKA_PROTOCOL",
        "THROUGHLINE_ACTOR_KEY",
    }
    assert "Synthetic key" not in done.output


@pytest.mark.parametrize("known", [{}, {35: (0, 1)}], ids=["no such request", "an older version of it"])
async def test_a_broker_that_tells_no_size_of_its_disk_is_not_called_fine(known: dict[int, tuple[int, int]]) -> None:
    class Broker:
        async def _send_request_to_node(self, _broker: int, request: Any) -> Any:
            return request.prepare(known)

    client: Any = Broker()
    outcome = await kafka._disk(client, 1)
    assert (outcome.state, outcome.says) == ("not checked", "this broker does not tell the size of its disk")


@pytest.mark.parametrize(
    ("folders", "state", "words"),
    [
        ([(0, "/a", [], 100, 50, {})], "fine", "50% full"),
        ([(0, "/a", [], 100, 50, {}), (0, "/b", [], 100, 20, {})], "wrong", "/b is 80% full"),
        ([(0, "/a", [], 100, 50, {}), (56, "/b", [], -1, -1, {})], "wrong", "it cannot use /b (KafkaStorageError)"),
        ([(0, "/a", [], -1, -1, {})], "not checked", "it tells no size"),
    ],
)
async def test_the_folders_of_a_broker_are_looked_at(folders: list[Any], state: str, words: str) -> None:
    class Broker:
        async def _send_request_to_node(self, _broker: int, _request: Any) -> Any:
            return SimpleNamespace(error_code=0, results=folders)

    client: Any = Broker()
    outcome = await kafka._disk(client, 1)
    assert (outcome.state, outcome.says) == (state, words)


async def test_a_mongodb_that_goes_away_half_way_is_unchecked_from_there_on() -> None:
    forgotten: Any = SimpleNamespace(
        delegate=SimpleNamespace(
            nodes=frozenset(), topology_description=SimpleNamespace(server_descriptions=lambda: {("one", 1): None})
        )
    )
    outcome = await mongodb._looked("versions", forgotten, mongodb._versions(forgotten, "mongodb://one:1/"))
    assert (outcome.state, outcome.subject) == ("not checked", "mongod at one:1")
