"""Access to Kafka, from settings to the arguments of its clients."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError
from faststream.kafka.security import parse_security
from pydantic import SecretStr
from pymongo.errors import ServerSelectionTimeoutError

from shared.consumer.kafka_authorization import trouble_of
from shared.runtime.kafka_access import KafkaAccess, Mechanism
from shared.runtime.settings import CannotStart, KafkaSettings, read
from tools.files import CHECKOUT

PASSWORD = "Synthetic password"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_USER", "KAFKA_PASSWORD", "KAFKA_PASSWORD_FILE", "KAFKA_MECHANISM"):
        monkeypatch.delenv(f"THROUGHLINE_{name}", raising=False)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_a_user_authenticates_in_every_client_alike(mechanism: Mechanism) -> None:
    kafka = KafkaAccess("synthetic:9092", "meetings", SecretStr(PASSWORD), mechanism)
    expected = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "meetings",
        "sasl_plain_password": PASSWORD,
    }
    assert kafka.client() == {"bootstrap_servers": "synthetic:9092", **expected}
    assert parse_security(kafka.security()) == {**expected, "ssl_context": None}
    assert KafkaSettings(**kafka.settings()).kafka_access() == kafka


def test_without_a_user_nobody_authenticates() -> None:
    kafka = KafkaAccess("synthetic:9092")
    assert kafka.client() == {"bootstrap_servers": "synthetic:9092"}
    assert kafka.security() is None
    assert KafkaSettings(**kafka.settings()).kafka_access() == kafka


def test_the_password_is_in_no_text_of_the_access() -> None:
    assert PASSWORD not in repr(KafkaAccess("synthetic:9092", "meetings", SecretStr(PASSWORD)))


def test_a_file_holds_the_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    settings = KafkaSettings(kafka="synthetic:9092", kafka_user="meetings", kafka_password_file=tmp_path / "password")
    assert settings.kafka_access() == KafkaAccess("synthetic:9092", "meetings", SecretStr(PASSWORD))


def test_a_user_without_a_password_cannot_start() -> None:
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_KAFKA_PASSWORD: "):
        read(KafkaSettings, kafka="synthetic:9092", kafka_user="meetings")


def test_an_unknown_mechanism_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THROUGHLINE_KAFKA_MECHANISM", "invented")
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_KAFKA_MECHANISM: Input should be 'SCRAM-SHA-512'"):
        read(KafkaSettings, kafka="synthetic:9092")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_KAFKA_PASSWORD_FILE: .*absent cannot be read: No such file"):
        read(KafkaSettings, kafka="synthetic:9092", kafka_user="meetings", kafka_password_file=tmp_path / "absent")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KafkaConnectionError("Unable to bootstrap from [('kafka', 9092)]"), "Kafka: KafkaConnectionError"),
        (ServerSelectionTimeoutError("mongo:27017: connection refused"), "ServerSelectionTimeoutError"),
    ],
)
def test_a_trouble_that_anybody_may_read_names_no_address(error: Exception, says: str) -> None:
    assert trouble_of(error) == says


def test_no_loop_reports_the_text_of_an_error_of_a_server() -> None:
    reports = [
        f"{path.name}: {line.strip()}"
        for folder in ("shared", "services")
        for path in (CHECKOUT / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if ".fault(" in line and ("{error}" in line or "str(error)" in line)
    ]
    assert reports == []
