"""Rights on Kafka against deploy/kafka.yaml: too wide, too narrow, and those of users that it does not declare."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Set
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.runtime.kafka_access import KafkaAccess
from tools.deployment import kafka_users, topics
from tools.deployment.doctor.outcomes import Check, Fault, Outcome
from tools.deployment.kafka_requests import ALLOW, LITERAL, Acl

TOPIC, GROUP, CLUSTER = 2, 3, 4
PREFIXED = 4
READ = 3
RESOURCES = {TOPIC: "the topic", GROUP: "the group", CLUSTER: "the cluster", 5: "the transaction", 6: "the token"}
OPERATIONS = {
    2: "do everything to", READ: "read", 4: "write to", 5: "create", 6: "delete", 7: "alter", 8: "describe",
    9: "act for", 10: "read the settings of", 11: "alter the settings of", 12: "write idempotently to",
}  # fmt: skip
CHANGES = frozenset({2, 4, 6, 7, 11})
ENSURE = "throughline users ensure gives each user its rights and no other (docs/kafka-rights.md)"
STRANGER = "take the right away by kafka-acls.sh --remove, or declare the user in deploy/kafka.yaml"
OPEN = "set authorizer.class.name, and run throughline users ensure (docs/kafka-rights.md)"


def readable_by(user: str | None, names: Iterable[str]) -> set[str]:
    """Return the topics whose settings a user may read: all of them, unless deploy/kafka.yaml declares the user."""
    if user not in kafka_users.users():
        return set(names)
    own = {acl.name for acl in kafka_users.rights() if acl.principal == f"User:{user}" and acl.operation == READ}
    return own & set(names)


async def check(client: AIOKafkaAdminClient, access: KafkaAccess) -> AsyncIterator[Outcome]:
    """Compare the rights on Kafka with their declaration; look at what a broker admits without any."""
    about = Check("kafka rights", f"ACLs at {access.bootstrap} of {', '.join(kafka_users.users())}, and of others")
    try:
        existing = await kafka_users.existing_rights(client)
    except kafka_users.NoAuthorizer as fault:
        yield about.wrong(str(fault), OPEN)
    except kafka_users.NotGranted as fault:
        yield about.not_checked(str(fault))
    else:
        for outcome in about.judge(sorted(faults(existing, kafka_users.rights())), "as deploy/kafka.yaml declares"):
            yield outcome
        yield await _broker(client)


def faults(existing: Set[Acl], declared: Set[Acl]) -> Iterator[Fault]:
    """Yield the rights that are too wide, too narrow, or of users that are not declared."""
    principals = {acl.principal for acl in declared}
    for acl in declared - existing:
        yield f"{acl.principal} lacks the right to {_words(acl)}", ENSURE
    for acl in existing - declared:
        if acl.principal in principals:
            verb = "may" if acl.permission == ALLOW else "is denied to"
            yield f"{acl.principal} {verb} {_words(acl)}, which deploy/kafka.yaml does not declare", ENSURE
        elif acl.permission == ALLOW and acl.operation in CHANGES and any(_covers(acl, each) for each in declared):
            yield f"{acl.principal}, whom deploy/kafka.yaml does not declare, may {_words(acl)}", STRANGER


def _covers(acl: Acl, declared: Acl) -> bool:
    """Tell whether a right reaches a topic or a group of the platform."""
    if acl.resource == CLUSTER:
        return True
    if acl.resource != declared.resource:
        return False
    if acl.pattern == PREFIXED:
        return declared.name.startswith(acl.name)
    return acl.pattern == LITERAL and acl.name in ("*", declared.name)


def _words(acl: Acl) -> str:
    kind = RESOURCES.get(acl.resource, f"the resource of kind {acl.resource}")
    verb = OPERATIONS.get(acl.operation, f"do operation {acl.operation} to")
    if acl.resource == CLUSTER:
        return f"{verb} {kind}"
    return f"{verb} {kind} {acl.name}{'…' if acl.pattern == PREFIXED else ''}"


async def _broker(client: AIOKafkaAdminClient) -> Outcome:
    """Look at the settings of a broker that would make rights void."""
    node = client._client.get_random_node()
    about = Check("kafka settings", f"broker {node}: what it admits without a right, topics that it makes by itself")
    answers: list[Any] = await client.describe_configs([ConfigResource(ConfigResourceType.BROKER, str(node))])
    [(code, message, _, _, entries)] = answers[0].resources
    if code:
        return about.not_checked(f"the user may not read them: {message or code}")
    values = {entry[0]: entry[1] for entry in entries}
    if values.get("allow.everyone.if.no.acl.found") == "true":
        return about.wrong(
            "allow.everyone.if.no.acl.found is true: everybody may do what no right speaks of", "set it to false"
        )
    if values.get("auto.create.topics.enable") != "false":
        return about.wrong(
            f"auto.create.topics.enable is {values.get('auto.create.topics.enable')}: a broker makes a mistyped topic, "
            f"with other settings than {topics.DECLARATION.name}",
            "set it to false",
        )
    return about.fine("it admits nobody without a right, and makes no topic")
