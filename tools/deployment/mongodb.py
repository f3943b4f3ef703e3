"""A replica set initiated, with its administrator and the services' users: any number of times, to the same effect.

It runs where the server listens on loopback: MongoDB lets the first user be created there, and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from tools.client.mongodb_client import Client, connect, outage, refusal
from tools.deployment import grants
from tools.deployment.messages import CannotStart

REPLICA_SET = "throughline"
ADMINISTRATOR = "admin"
PATIENCE_SECONDS = 120.0
UNAUTHORIZED, AUTHENTICATION_FAILED, ALREADY_INITIALIZED = 13, 18, 23
CPU = Path("/proc/cpuinfo")
T = TypeVar("T")


def ensure(
    uri: str, member: str, administrator: str, passwords: Mapping[str, str], patience: float = PATIENCE_SECONDS
) -> None:
    """Make the replica set of one member, its administrator and a user for each service. Raises CannotStart.

    `uri` names the server on loopback, without a user; `member` is the address under which everybody else reaches it.
    """
    with connect(uri, directConnection=True, serverSelectionTimeoutMS=2_000) as anonymous:
        _wait(lambda: _hello(anonymous), patience)
        _initiate(anonymous, member)
        _wait(lambda: _hello(anonymous).get("isWritablePrimary"), patience)
        as_administrator = administrator_uri(uri, administrator)
        if not _is_administrator(as_administrator):
            _create_administrator(anonymous, administrator)
    _check_member(as_administrator, member)
    grants.grant(as_administrator, passwords)


def with_password(uri: str, password: str) -> str:
    """Return a URI that names a user, with the user's password."""
    parts = urlsplit(uri)
    user, _, hosts = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{quote(password, safe='')}@{hosts}"))


def administrator_uri(uri: str, password: str) -> str:
    """Return the URI with the administrator as its user, for this one server."""
    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query)) | {"authSource": "admin", "directConnection": "true"}
    hosts = parts.netloc.rpartition("@")[2]
    named = urlunsplit((parts.scheme, f"{ADMINISTRATOR}@{hosts}", "/", urlencode(options), ""))
    return with_password(named, password)


def _wait(probe: Callable[[], T], patience: float) -> T:
    until = time.monotonic() + patience
    while True:
        try:
            if answer := probe():
                return answer
            reason = "it is not primary"
        except PyMongoError as failure:
            reason = outage(failure)
        if time.monotonic() > until:
            raise CannotStart(f"MongoDB is not ready after {patience:.0f} s: {reason}.{without_avx()}")
        time.sleep(0.3)


def without_avx(cpu: Path = CPU) -> str:
    """Return a sentence where this machine's processor cannot run MongoDB 5 or newer."""
    text = cpu.read_text(encoding="utf-8") if cpu.exists() else ""
    flags = next((line.partition(":")[2].split() for line in text.splitlines() if line.startswith("flags")), None)
    return " This processor lacks AVX, which MongoDB needs since version 5." if flags and "avx" not in flags else ""


def _hello(client: Client) -> dict[str, Any]:
    return client.admin.command("hello")


def _initiate(anonymous: Client, member: str) -> None:
    try:
        members = [{"_id": 0, "host": member}]
        anonymous.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as failure:
        if failure.code not in (ALREADY_INITIALIZED, UNAUTHORIZED):
            raise CannotStart(f"MongoDB refused to initiate the replica set as {member}: {refusal(failure)}") from None


def _is_administrator(uri: str) -> bool:
    try:
        with connect(uri, serverSelectionTimeoutMS=5_000) as client:
            client.admin.command("ping")
    except OperationFailure as failure:
        if failure.code != AUTHENTICATION_FAILED:
            raise
        return False
    return True


def _create_administrator(anonymous: Client, password: str) -> None:
    try:
        anonymous.admin.command("createUser", ADMINISTRATOR, pwd=password, roles=["root"])
    except (OperationFailure, ConnectionFailure) as failure:
        raise CannotStart(
            f"The password of MongoDB's administrator is not the one in its file, and MongoDB creates its first "
            f"user only over loopback, and only while it has none: give the password that it had at its first start "
            f"({refusal(failure) if isinstance(failure, OperationFailure) else outage(failure)})"
        ) from None


def _check_member(uri: str, member: str) -> None:
    with connect(uri, serverSelectionTimeoutMS=5_000) as client:
        hosts = [each["host"] for each in client.admin.command("replSetGetConfig")["config"]["members"]]
    if member not in hosts:
        raise CannotStart(
            f"The replica set was initiated as {', '.join(hosts)}, and nobody reaches it as {member}: give that name, "
            "or reconfigure the set (rs.reconfig)."
        )
