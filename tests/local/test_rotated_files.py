"""Real servers on the files of `throughline deploy init`, while `throughline rotate` replaces these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pymongo.errors import WTimeoutError

from tests.cli.terminal import output_of
from tests.local.deployed import MEMBERS, Broker, ReplicaSet, Secrets, Servers
from tests.patience import until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("TLS")]
JOBS = (("users", "ensure"), ("topics", "ensure", "--profile", "local"))


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    folder = Secrets(tmp_path / "secrets")
    folder.make()
    return folder


@pytest.fixture
def broker(tmp_path: Path, secrets: Secrets) -> Iterator[Broker]:
    with Broker(tmp_path / "kafka", secrets).up() as running:
        yield running


@pytest.fixture
def replica_set(tmp_path: Path, secrets: Secrets) -> Iterator[ReplicaSet]:
    with ReplicaSet(tmp_path / "mongodb", secrets).up() as running:
        yield running


def own_password(secrets: Secrets) -> str:
    """Return the password by which brokers know each other."""
    (password,) = set(re.findall(r'username="broker" password="([^"]+)"', secrets.read("kafka/jaas.conf")))
    return str(password)


def test_kafkas_administrator_and_brokers_get_other_passwords(broker: Broker, secrets: Secrets) -> None:
    assert broker.publish(b"before") == [b"before"]
    old = secrets.copy("kafka/passwords/admin", "old")
    old_of_brokers = own_password(secrets)

    secrets.rotate("kafka-administrator")
    for job in JOBS:
        refused = broker.job(*job)
        assert refused.exit_code == 1, "the broker must be restarted before jobs run"
        assert broker.job(*job, password=old).exit_code == 0
    assert broker.publish(b"between") == [b"before", b"between"]

    broker.restart()
    assert broker.publish(b"after") == [b"before", b"between", b"after"]
    for job in JOBS:
        done = broker.job(*job)
        assert done.exit_code == 0, done.output
        refused = broker.job(*job, password=old)
        assert (refused.exit_code, "does not accept the user admin" in output_of(refused)) == (1, True)
    assert broker.publish(b"last") == [b"before", b"between", b"after", b"last"]
    assert not broker.refusal(broker.access("broker", own_password(secrets), "PLAIN"))
    assert "does not accept the user" in broker.refusal(broker.access("broker", old_of_brokers, "PLAIN"))


@pytest.mark.drill
def test_the_key_of_mongodbs_members_is_replaced_and_the_set_stays_one(
    replica_set: ReplicaSet, secrets: Secrets
) -> None:
    old = secrets.copy("mongodb/key", "old-key")
    assert replica_set.write(MEMBERS) == 1
    secrets.rotate("mongodb-key")
    replica_set.restart()
    secrets.rotate("mongodb-key", "--drop-retired")
    replica_set.restart()
    assert replica_set.write(MEMBERS) == 2 * MEMBERS + 2

    *others, member = replica_set.members
    member.key = old
    replica_set.restart_one(member)
    for other in others:
        until(lambda other=other: other.view()[member.where].get("authenticated") is False)
        assert other.view()[member.where]["health"] == 0
    assert replica_set.write(MEMBERS - 1) > 0, "the others go on"
    with pytest.raises(WTimeoutError):
        replica_set.write(MEMBERS, timeout_ms=3_000)

    member.key = secrets.root / "mongodb/key"
    replica_set.restart_one(member)
    until(replica_set.is_whole)


@pytest.mark.drill
@pytest.mark.parametrize("kind", [Broker, ReplicaSet])
def test_authority_and_certificates_are_replaced_while_clients_work(
    kind: type[Broker] | type[ReplicaSet], tmp_path: Path, secrets: Secrets
) -> None:
    with ExitStack() as stack:
        servers: Servers = stack.enter_context(kind(tmp_path / "servers", secrets).up())
        old = secrets.copy("tls/ca.crt", "old.crt")

        secrets.rotate("authority")
        both = secrets.copy("tls/ca.crt", "both.crt")
        assert servers.are_trusted(old)
        assert servers.are_trusted(both)
        servers.restart()
        assert servers.are_trusted(old)
        assert servers.are_trusted(both)

        secrets.rotate("certificates")
        assert servers.are_trusted(both)
        servers.restart()
        assert servers.are_trusted(both)
        assert not servers.are_trusted(old)

        secrets.rotate("authority", "--drop-retired")
        new = secrets.copy("tls/ca.crt", "new.crt")
        assert servers.are_trusted(both)
        assert servers.are_trusted(new)
        servers.restart()
        assert servers.are_trusted(both)
        assert servers.are_trusted(new)
