"""Least rights on Kafka: a user for each service and one that reads, as deploy/kafka.yaml declares them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DeleteAclsRequest, DescribeAclsRequest

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.runtime.kafka_access import KafkaAccess
from tools.deployment import kafka_administrator
from tools.deployment.kafka_requests import ALLOW, EVERY_HOST, LITERAL, Acl, CreateAcls, SetPasswords
from tools.files import CHECKOUT

DECLARATION = CHECKOUT / "deploy/kafka.yaml"
TIMEOUT_MS = 20_000
_RESOURCES = {"write": 2, "read": 2, "join": 3}  # topic, group
_OPERATIONS = {"READ": 3, "WRITE": 4, "DESCRIBE_CONFIGS": 10}
_ANY = 1
_EVERYTHING = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)  # type: ignore[arg-type]
_NO_RIGHT_TO_GRANT = (29, 31)
_NO_RIGHTS_AT_ALL = 54

logging.getLogger("aiokafka").addHandler(logging.NullHandler())


class NotGranted(Exception):
    """Users or rights that could not be made; the message says why, and what to do."""


class NoAuthorizer(NotGranted):
    """A Kafka without rights."""


def users(declaration: Path = DECLARATION) -> tuple[str, ...]:
    """Return the names of the declared users."""
    return tuple(_declared(declaration)["users"])


def rights(declaration: Path = DECLARATION) -> set[Acl]:
    """Return the ACLs of all declared users."""
    declared = _declared(declaration)
    return {
        Acl(_RESOURCES[right], name, LITERAL, f"User:{user}", EVERY_HOST, _OPERATIONS[operation], ALLOW)
        for user, rights_of_user in declared["users"].items()
        for right, names in rights_of_user.items()
        for name in names
        for operation in declared["operations"][right]
    }


def _declared(declaration: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    return loaded


def ensure(admin: KafkaAccess, passwords: Mapping[str, str], declaration: Path = DECLARATION) -> None:
    """Create the users with these passwords, and give each the declared rights and no other. Raises NotGranted.

    Users that are not declared keep what they have.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _ensure(admin, passwords, rights(declaration))).result()


async def _ensure(admin: KafkaAccess, passwords: Mapping[str, str], wanted: set[Acl]) -> None:
    client = AIOKafkaAdminClient(**admin.client(), request_timeout_ms=TIMEOUT_MS)
    try:
        await kafka_administrator.start(client)
        await _set_passwords(client, passwords)
        await _set_rights(client, wanted)
    except (KafkaError, OSError) as failure:
        try:
            await raise_if_refused(failure, admin)
        except KafkaRefused as refusal:
            raise NotGranted(
                f"Kafka at {admin.bootstrap} refuses the administrator {admin.user}: {refusal}."
            ) from failure
        raise NotGranted(
            f"Kafka at {admin.bootstrap} does not answer, or refuses the administrator {admin.user}: is it up, and are "
            f"THROUGHLINE_KAFKA_USER and THROUGHLINE_KAFKA_PASSWORD its administrator's? ({type(failure).__name__})"
        ) from failure
    finally:
        await client.close()


async def _set_passwords(client: AIOKafkaAdminClient, passwords: Mapping[str, str]) -> None:
    answer: Any = await client._send_to_controller(SetPasswords(passwords))
    for user, code, message, _ in answer.results:
        _check(code, message, f"make the user {user}")


async def existing_rights(client: AIOKafkaAdminClient) -> set[Acl]:
    """Return the ACLs of all users, declared or not. Raises NotGranted."""
    answer: Any = await client._send_to_controller(_EVERYTHING)
    _check(answer.error_code, answer.error_message, "list the rights")
    return {Acl(*resource, *acl) for *resource, acls in answer.resources for acl in acls}


async def _set_rights(client: AIOKafkaAdminClient, wanted: set[Acl]) -> None:
    """Create what is missing before deleting what is too much, so that no right is ever absent in between."""
    existing = await existing_rights(client)
    answer: Any
    if missing := sorted(wanted - existing):
        answer = await client._send_to_controller(CreateAcls(missing))
        for acl, (code, message) in zip(missing, answer.creation_responses, strict=True):
            _check(code, message, f"give {acl.principal} a right on {acl.name}")
    principals = {acl.principal for acl in wanted}
    for acl in existing - wanted:
        if acl.principal in principals:
            answer = await client._send_to_controller(DeleteAclsRequest(*acl))
            for code, message, _ in answer.filter_responses:
                _check(code, message, f"take from {acl.principal} a right on {acl.name}")


def _check(code: int, message: str | None, what: str) -> None:
    if not code:
        return
    name = for_code(code).__name__
    if code in _NO_RIGHT_TO_GRANT:
        raise NotGranted(f"This user may not {what}: give the administrator's ({name}).")
    if code == _NO_RIGHTS_AT_ALL:
        raise NoAuthorizer(f"This Kafka has no authorizer, so that everybody may do everything: {message} ({name}).")
    raise NotGranted(f"Kafka refused to {what}: {message or name}")
