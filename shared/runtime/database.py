"""A service's own database: its client, and MongoDB's refusals, which differ from its outages.

An outage is waited for. A wrong password, a certificate that is not trusted and TLS on one side only end the process.
"""

from __future__ import annotations

import ssl
import warnings
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import ReadPreference
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from shared.runtime.configuration import CannotStart
from shared.runtime.mongodb_settings import MongodbSettings, check_files, options_may_be_of_password
from shared.runtime.tls import refuses_certificate, speaks_tls, why_untrusted
from shared.store.connection_monitor import ConnectionMonitor

SERVER_SELECTION_MS = 5_000
_UNAUTHORIZED, _AUTHENTICATION_FAILED = 13, 18
_PLAIN_MS = 2_000
_NAME = "THROUGHLINE_MONGODB"


def connect(settings: MongodbSettings, service: str) -> AsyncIOMotorDatabase[Any]:
    """Return a service's own database, without a round trip to the server. Raises CannotStart.

    It is read from the primary, whatever the URI says: a secondary may be behind what this process stored.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # of an option that is written wrongly, and ignored
            check_files(settings.mongodb.get_secret_value())
            client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(
                settings.mongodb.get_secret_value(),
                appname=f"throughline-{service}",
                serverSelectionTimeoutMS=SERVER_SELECTION_MS,
                event_listeners=[ConnectionMonitor()],
                **settings.mongodb_options(),
            )
    except (UserWarning, OSError, ConfigurationError, ValueError) as fault:
        raise CannotStart(f"{_NAME}: {_why_unusable(settings.mongodb.get_secret_value(), fault)}") from None
    return client.get_database(settings.database, read_preference=ReadPreference.PRIMARY)


def _why_unusable(uri: str, fault: Exception) -> str:
    """Return why a URI cannot be used, in words that never repeat a password."""
    if not options_may_be_of_password(uri):
        if isinstance(fault, UserWarning):
            return f"an option of it cannot be used: {fault}"
        if isinstance(fault, OSError):
            return f"a certificate file that it names cannot be read: {fault}"
    return f"is no MongoDB URI, or an option of it cannot be used ({type(fault).__name__})"


async def raise_if_refused(error: PyMongoError, database: AsyncIOMotorDatabase[Any]) -> None:
    """Raise CannotStart where an error of MongoDB's client is a refusal; return where it may be an outage."""
    if isinstance(error, OperationFailure):
        _raise_if_denied(error, database)
    if isinstance(error, ConnectionFailure):
        descriptions = database.client.delegate.topology_description.server_descriptions()
        faults = [await _tls_fault(host, port or 27017, database) for host, port in descriptions]
        if faults and all(faults):
            raise CannotStart(f"{_NAME}: {faults[0]}") from error


def _raise_if_denied(failure: OperationFailure, database: AsyncIOMotorDatabase[Any]) -> None:
    hosts = ", ".join(
        f"{host}:{port}" for host, port in database.client.delegate.topology_description.server_descriptions()
    )
    match failure.code:
        case code if code == _AUTHENTICATION_FAILED:
            raise CannotStart(
                f"{_NAME}: MongoDB at {hosts} does not accept the user with this password, or its authSource is not "
                "the database of the user"
            ) from failure
        case code if code == _UNAUTHORIZED:
            raise CannotStart(
                f"{_NAME}: MongoDB at {hosts} lacks a right for this user on {database.name}: "
                "deploy/mongodb.yaml lists the rights of each service"
            ) from failure
        case _:
            return


async def _tls_fault(host: str, port: int, database: AsyncIOMotorDatabase[Any]) -> str | None:
    """Return why no connection to a server can be made, where waiting does not help."""
    where, context = f"MongoDB at {host}:{port}", database.client.delegate.options.pool_options._ssl_context
    if context is None:
        speaks = await speaks_tls(host, port)
        return f"{where} speaks TLS, and this URI does not: add the option tls=true" if speaks else None
    try:
        if await refuses_certificate(host, port, context):
            return f"{where} refuses this service's certificate, or wants one: the option tlsCertificateKeyFile"
    except ssl.SSLCertVerificationError as error:
        return f"{where} is not trusted: {why_untrusted(error)}: name its CA by the option tlsCAFile"
    except OSError:
        pass
    return f"{where} speaks no TLS, and this URI asks for it" if await _speaks_plainly(host, port) else None


async def _speaks_plainly(host: str, port: int) -> bool:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(
        host, port, directConnection=True, serverSelectionTimeoutMS=_PLAIN_MS
    )
    try:
        await client.admin.command("hello")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True
