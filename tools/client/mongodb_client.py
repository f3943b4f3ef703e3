"""Clients of a MongoDB that a person named, and its faults in words that never repeat the URI."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from shared.runtime.mongodb_settings import check_files, options_may_be_of_password

SELECTION_MS = 10_000
FORM = (
    "is no MongoDB URI; write mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS, with %40 for an @ in the password, "
    "%3F for a ?"
)
Client = MongoClient[dict[str, Any]]


class UnusableUri(ConfigurationError):
    """A URI that cannot be used; the message says why."""


def connect(uri: str, **options: Any) -> Client:
    """Return a client, without a round trip to the server. Raises UnusableUri."""
    with _usable(uri):
        check_files(uri)
        return Client(uri, **{"serverSelectionTimeoutMS": SELECTION_MS, **options})


def connect_async(uri: str, **options: Any) -> AsyncIOMotorClient[Any]:
    """Return a client of asyncio, without a round trip to the server. Raises UnusableUri."""
    with _usable(uri):
        check_files(uri)
        return AsyncIOMotorClient(uri, **{"serverSelectionTimeoutMS": SELECTION_MS, **options})


@contextmanager
def _usable(uri: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # of an option that is written wrongly, and ignored
            yield
    except (UserWarning, OSError, ConfigurationError, ValueError) as fault:
        raise UnusableUri(FORM if options_may_be_of_password(uri) else _why(fault)) from None


def _why(fault: Exception) -> str:
    if isinstance(fault, UserWarning):
        return f"has an option that cannot be used: {fault}"
    if isinstance(fault, OSError):
        named = f": {fault.filename}" if fault.filename else ""
        return f"names a file that cannot be used: {fault.strerror or type(fault).__name__}{named}"
    return FORM  # the words of the others may repeat the password


def refusal(failure: OperationFailure) -> str:
    """Return in MongoDB's own words why it refused."""
    return str((failure.details or {}).get("errmsg", type(failure).__name__)).rstrip(".")


def outage(error: PyMongoError) -> str:
    """Return which server does not answer, and why."""
    reason = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
    return f"{reason.rstrip('.')} ({type(error).__name__})"
