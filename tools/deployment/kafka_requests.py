"""Requests to Kafka that aiokafka lacks: many ACLs at once, passwords of SCRAM-SHA-512 users, disks of a broker."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka.protocol.admin import CreateAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

SCRAM_SHA_512 = 2
ITERATIONS = 4096
LITERAL, ALLOW = 3, 3
EVERY_HOST = "*"


class Acl(NamedTuple):
    """One right of one user, with the numbers of Kafka's protocol, in the order of its requests."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


class CreateAcls(Request[CreateAclsRequest_v1]):
    """A request to create many ACLs."""

    API_KEY = 30

    def __init__(self, acls: Sequence[Acl]) -> None:
        self._acls = acls

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class([tuple(acl) for acl in self._acls])


class _ScramResponse(Response):
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString()),
                ("error_code", Int16),
                ("error_message", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ScramRequest(RequestStruct):
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _ScramResponse
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString()), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString()),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class SetPasswords(Request[_ScramRequest]):
    """A request to create users, or to change their passwords.

    It removes nobody: a broker of version 4.4.0 from which users were removed may forget all others at its restart.
    """

    API_KEY = 51

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._rows = [_row(user, password) for user, password in passwords.items()]

    def build(self, request_struct_class: type[_ScramRequest]) -> _ScramRequest:
        return request_struct_class([], self._rows, {})


def _row(user: str, password: str) -> tuple[object, ...]:
    salt = secrets.token_bytes(24)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return user, SCRAM_SHA_512, ITERATIONS, salt, salted, {}


class _DisksResponse(Response):
    API_KEY = 35
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "results",
            CompactArray(
                ("error_code", Int16),
                ("folder", CompactString()),
                ("topics", CompactArray(Int8)),  # empty, as in the request
                ("total_bytes", Int64),
                ("usable_bytes", Int64),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DisksRequest(RequestStruct):
    API_KEY = 35
    API_VERSION = 4
    RESPONSE_TYPE = _DisksResponse
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(("topics", CompactArray(Int8)), ("tags", TaggedFields))


class DescribeDisks(Request[_DisksRequest]):
    """A request for the size of the disk of each data folder of a broker, of no topic in particular."""

    API_KEY = 35

    def build(self, request_struct_class: type[_DisksRequest]) -> _DisksRequest:
        return request_struct_class([], {})
