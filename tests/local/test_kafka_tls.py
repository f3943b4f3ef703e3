"""TLS on a real Kafka: who is admitted, and in which words a process that is not says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from pydantic import SecretStr

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.consumer.topic_reader import read_topic
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.tls import Tls
from tests.certificates import HOUR, Authority
from tests.local.secure import SecureKafka, ports, running

pytestmark = [pytest.mark.servers, pytest.mark.drill, pytest.mark.xdist_group("TLS")]

AWAY = KafkaConnectionError("synthetic")
TOPIC = "throughline.meetings"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "another CA")


@pytest.fixture(scope="module")
def kafka(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    folder = tmp_path_factory.mktemp("kafka")
    broker = SecureKafka(folder, authority, ports())
    with running(broker, folder):
        broker.make_users()
        yield broker


async def published_and_read(kafka: KafkaAccess) -> int:
    async with AIOKafkaProducer(**kafka.client(), enable_idempotence=True) as producer:
        await producer.send_and_wait(TOPIC, b"synthetic", key=b"synthetic")
    return len([record async for record in read_topic(kafka, TOPIC)])


async def test_a_user_with_a_password_is_admitted_by_tls_and_so_is_a_certificate(kafka: SecureKafka) -> None:
    assert await published_and_read(kafka.access()) == 1
    own = kafka.authority.issue("meetings")
    by_certificate = kafka.access("certificate", None, cert_file=own.certificate, key_file=own.key)
    assert by_certificate.protocol == "SSL"
    assert await published_and_read(by_certificate) == 2


async def test_a_certificate_has_the_rights_of_its_name_and_no_others(kafka: SecureKafka) -> None:
    own = kafka.authority.issue("nominations")
    other = kafka.access("certificate", None, cert_file=own.certificate, key_file=own.key)
    with pytest.raises(KafkaError):
        await published_and_read(other)


Changed = Callable[[SecureKafka, Authority], KafkaAccess]
REFUSED: dict[str, tuple[Changed, str]] = {
    "wrong password": (
        lambda kafka, _: replace(kafka.access(), password=SecretStr("wrong")),
        "THROUGHLINE_KAFKA_USER: Kafka at .* does not accept the user meetings with this password",
    ),
    "unknown CA": (
        lambda kafka, stranger: replace(kafka.access(), tls=Tls(stranger.file)),
        "THROUGHLINE_KAFKA_CA_FILE: Kafka at .* is not trusted: its certificate is of an unknown CA",
    ),
    "the CAs of the system": (
        lambda kafka, _: replace(kafka.access(), tls=Tls()),
        "THROUGHLINE_KAFKA_CA_FILE: .* is of an unknown CA",
    ),
    "another host": (
        lambda kafka, _: kafka.access("elsewhere"),
        "THROUGHLINE_KAFKA_CA_FILE: .* its certificate is for another host",
    ),
    "plaintext with a password to TLS": (
        lambda kafka, _: replace(kafka.access(), tls=None),
        "THROUGHLINE_KAFKA_PROTOCOL: Kafka at .* speaks TLS, and SASL_PLAINTEXT does not",
    ),
    "plaintext to TLS": (
        lambda kafka, _: KafkaAccess(kafka.access("certificate").bootstrap),
        "THROUGHLINE_KAFKA_PROTOCOL: Kafka at .* speaks TLS, and PLAINTEXT does not",
    ),
    "TLS to plaintext": (
        lambda kafka, _: kafka.access("kafka"),
        "THROUGHLINE_KAFKA_PROTOCOL: Kafka at .* speaks no TLS, and SASL_SSL does",
    ),
    "no certificate": (
        lambda kafka, _: kafka.access("certificate", None),
        "THROUGHLINE_KAFKA_CERT_FILE: Kafka at .* refuses the certificate of this process, or wants one",
    ),
    "a certificate of another CA": (
        lambda kafka, stranger: _by(kafka, stranger, HOUR),
        "THROUGHLINE_KAFKA_CERT_FILE: Kafka at .* refuses the certificate",
    ),
    "an expired certificate": (
        lambda kafka, _: _by(kafka, kafka.authority, -HOUR),
        "THROUGHLINE_KAFKA_CERT_FILE: Kafka at .* refuses the certificate",
    ),
    "TLS without the user that it wants": (
        lambda kafka, _: replace(kafka.access(), user=None),
        "THROUGHLINE_KAFKA_USER: .* it asks for a user and a password",
    ),
}


def _by(kafka: SecureKafka, signer: Authority, valid: timedelta) -> KafkaAccess:
    own = signer.issue("meetings", valid=valid)
    return kafka.access("certificate", None, cert_file=own.certificate, key_file=own.key)


@pytest.mark.parametrize("fault", REFUSED)
async def test_a_process_that_kafka_does_not_admit_says_why(
    fault: str, kafka: SecureKafka, stranger: Authority
) -> None:
    changed, says = REFUSED[fault]
    access = changed(kafka, stranger)
    with pytest.raises(KafkaConnectionError):
        await published_and_read(access)
    with pytest.raises(KafkaRefused, match=f"^{says}"):
        await raise_if_refused(AWAY, access)


async def test_one_broker_that_admits_is_enough_and_none_that_is_away_refuses(
    kafka: SecureKafka, stranger: Authority
) -> None:
    good, bad = kafka.access().bootstrap, kafka.access("elsewhere").bootstrap
    await raise_if_refused(AWAY, kafka.access())
    await raise_if_refused(AWAY, replace(kafka.access(), bootstrap=f"{bad},{good}"))
    await raise_if_refused(AWAY, replace(kafka.access(), bootstrap="127.0.0.1:1"))
    with pytest.raises(KafkaRefused):
        await raise_if_refused(AWAY, replace(kafka.access(), bootstrap=f"127.0.0.1:1,{bad}"))
