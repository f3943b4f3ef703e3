"""Kafka from a client's side: login, topics, brokers and their disks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, for_code
from aiokafka.protocol.admin import ApiVersionRequest
from pydantic import SecretStr

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.topic_declaration import Topics
from tools.deployment import kafka_users, topics
from tools.deployment.doctor import kafka_rights
from tools.deployment.doctor.outcomes import Check, Fault, Outcome, runbook
from tools.deployment.doctor.target import Profile, Target
from tools.deployment.kafka_requests import DescribeDisks

TIMEOUT_MS = 10_000
FETCH, FETCH_SINCE_4_0 = 1, 4
FULL_FROM = 0.7  # as the alert of MongoDB's disk
AWAY = "start the brokers, or name those that are up: THROUGHLINE_KAFKA (docs/runbooks/ThroughlineEventsUnpublished.md)"
LOGIN = "give the right login (docs/kafka-rights.md, when Kafka refuses)"
DIFFERS = f"set it back by kafka-configs.sh --alter ({runbook('ThroughlineTopicDiffers')})"
PARTITIONS = f"make the topic again ({runbook('ThroughlineTopicDiffers')})"
COPIES = "reassign it to more brokers (kafka-reassign-partitions.sh); --profile local, if one copy is what you want"
BEHIND = "start the broker that is away, and wait until it has caught up"


async def check(target: Target) -> AsyncIterator[Outcome]:
    """Look at Kafka by the login that was named, and at the logins of the declared users."""
    if (access := target.kafka) is None:
        yield Check("kafka", "Kafka").not_checked("nothing says where it is: --kafka HOST:PORT")
        return
    about = Check("kafka", access.bootstrap)
    client = AIOKafkaAdminClient(**access.client(), request_timeout_ms=TIMEOUT_MS)
    try:
        await client.start()
        yield about.fine(f"accepts {f'the user {access.user}' if access.user else 'a client without a user'}")
        async for outcome in _within(client, access, target):
            yield outcome
    except (KafkaError, OSError, TimeoutError) as error:
        yield await _failure(about, error, access)
    finally:
        with suppress(KafkaError, OSError):
            await client.close()


async def _failure(about: Check, error: BaseException, access: KafkaAccess) -> Outcome:
    try:
        await raise_if_refused(error, access)
    except KafkaRefused as refusal:
        return about.wrong(str(refusal), LOGIN)
    return about.wrong(f"does not answer ({type(error).__name__}); the rest of it was not looked at", AWAY)


async def _within(client: AIOKafkaAdminClient, access: KafkaAccess, target: Target) -> AsyncIterator[Outcome]:
    async for outcome in _topics(client, access, target.profile):
        yield outcome
    async for outcome in kafka_rights.check(client, access):
        yield outcome
    async for outcome in _logins(access, target.kafka_passwords):
        yield outcome
    brokers = [broker["node_id"] for broker in (await client.describe_cluster())["brokers"]]
    yield await _versions(client, brokers)
    for broker in brokers:
        yield await _disk(client, broker)


async def _topics(client: AIOKafkaAdminClient, access: KafkaAccess, profile: Profile) -> AsyncIterator[Outcome]:
    """Compare the topics with their declaration. All are listed: a request that names one may create it."""
    declared = topics.declared(profile=profile)
    visible = kafka_rights.readable_by(access.user, declared.partitions)
    if hidden := sorted(declared.partitions.keys() - visible):
        yield Check("kafka topics", ", ".join(hidden)).not_checked(f"the user {access.user} may not read them")
    partitions = {each["topic"]: each["partitions"] for each in await client.describe_topics()}
    there = {name: count for name, count in declared.partitions.items() if name in visible and partitions.get(name)}
    differences = await topics.config_differences(client, replace(declared, partitions=there))
    faults = [
        *(
            (f"the topic {name} is missing, or hidden from this user", "throughline topics ensure")
            for name in visible - there.keys()
        ),
        *((difference, DIFFERS) for difference in differences),
        *(fault for name in there for fault in partition_faults(name, partitions[name], declared)),
    ]
    about = Check("kafka topics", f"partitions and settings of {', '.join(sorted(visible))}")
    for outcome in about.judge(sorted(faults), "as deploy/topics.yaml declares them"):
        yield outcome


def partition_faults(name: str, partitions: Sequence[Mapping[str, Any]], declared: Topics) -> Iterator[Fault]:
    """Yield what is wrong with the partitions of a topic: their number, and the copies of each."""
    wanted = declared.partitions[name]
    if len(partitions) != wanted:
        yield f"{name}: {len(partitions)} partitions, declared {wanted}", PARTITIONS
    if (copies := min(len(each["replicas"]) for each in partitions)) < declared.replication:
        yield f"{name}: {copies} copies of each record, declared {declared.replication}", COPIES
    if behind := [each["partition"] for each in partitions if len(each["isr"]) < len(each["replicas"])]:
        yield f"{name}: copies of the partitions {', '.join(map(str, sorted(behind)))} are not up to date", BEHIND


async def _logins(access: KafkaAccess, passwords: Mapping[str, str]) -> AsyncIterator[Outcome]:
    about = Check("kafka passwords", f"logins of {', '.join(kafka_users.users())}")
    if access.user is None or not passwords:
        yield about.not_checked("Kafka admits without a user" if access.user is None else "no passwords: --secrets DIR")
        return
    faults = []
    for user, password in passwords.items():
        login = replace(access, user=user, password=SecretStr(password), mechanism="SCRAM-SHA-512")
        try:
            await _log_in(login)
        except KafkaRefused as refusal:
            faults.append((str(refusal), "throughline users ensure gives the user the password of its file"))
    for outcome in about.judge(faults, f"accepted: {', '.join(passwords)}"):
        yield outcome


async def _log_in(login: KafkaAccess) -> None:
    """Connect and leave. Raises KafkaRefused, or another KafkaError where Kafka does not answer."""
    client = AIOKafkaAdminClient(**login.client(), request_timeout_ms=TIMEOUT_MS)
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        await raise_if_refused(error, login)
        raise
    finally:
        await client.close()


async def _versions(client: AIOKafkaAdminClient, brokers: Sequence[int]) -> Outcome:
    """Compare what the brokers speak: Kafka tells no client its version."""
    about = Check("kafka versions", f"requests that {len(brokers)} broker{'s' * (len(brokers) > 1)} understand")
    spoken: dict[int, dict[int, tuple[int, int]]] = {}
    for broker in brokers:
        answer: Any = await client._send_request_to_node(broker, ApiVersionRequest())
        spoken[broker] = {key: (least, most) for key, least, most in answer.api_versions}
    if any(versions[FETCH][0] < FETCH_SINCE_4_0 for versions in spoken.values()):
        return about.wrong("a broker is older than 4.0, and no test has run with it", "upgrade the brokers")
    if any(versions != spoken[brokers[0]] for versions in spoken.values()):
        return about.wrong(f"the brokers {', '.join(map(str, brokers))} differ in version", "end the upgrade of Kafka")
    return about.fine("4.0 or newer, and the same of each broker")


async def _disk(client: AIOKafkaAdminClient, broker: int) -> Outcome:
    about = Check("kafka disk", f"data folders of broker {broker}")
    try:
        answer: Any = await client._send_request_to_node(broker, DescribeDisks())
    except (IncompatibleBrokerVersion, NotImplementedError):  # aiokafka's, without the request or without its version
        return about.not_checked("this broker does not tell the size of its disk")
    if answer.error_code:
        return about.not_checked(f"the user may not describe the cluster ({for_code(answer.error_code).__name__})")
    if lost := [f"{folder} ({for_code(code).__name__})" for code, folder, *_ in answer.results if code]:
        return about.wrong(f"it cannot use {', '.join(lost)}", "mend or replace that disk, and start the broker again")
    sizes = {folder: (total, usable) for _, folder, _, total, usable, _ in answer.results if total > 0}
    if not sizes:
        return about.not_checked("it tells no size")
    used = {folder: 1 - usable / total for folder, (total, usable) in sizes.items()}
    if full := {folder: share for folder, share in used.items() if share > FULL_FROM}:
        says = ", ".join(f"{folder} is {share:.0%} full" for folder, share in full.items())
        return about.wrong(says, "enlarge the disk before it is full: records are never deleted (docs/sizes.md)")
    return about.fine(", ".join(f"{share:.0%} full" for share in used.values()))
