"""Certificates that end soon: in files, and those that servers show."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiokafka.conn import collect_hosts
from cryptography import x509
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from shared.runtime.mongodb_settings import check_files
from shared.runtime.regular_file import read_bytes
from tools.deployment.doctor.outcomes import Check, Outcome
from tools.deployment.doctor.target import Target
from tools.deployment.secret_checks import ENDS_SOON

NAME = "certificates"
CONNECT_SECONDS = 5.0
OF_FILE = "replace it before that day, and restart what reads it (docs/backup.md, replacing certificates)"
OF_SERVER = "give the server a new one before that day, and restart it (docs/backup.md, replacing certificates)"


Which = Callable[[Iterable[datetime]], datetime]


class Endpoint(NamedTuple):
    """A server that speaks TLS."""

    name: str
    host: str
    port: int


async def check(target: Target, now: datetime | None = None) -> AsyncIterator[Outcome]:
    """Look at each file, and at what each server with TLS shows."""
    now = now or datetime.now(UTC)
    endpoints = list(endpoints_of(target))
    authorities = [*target.authorities, *_files_of_mongodb(target.mongodb, "tlsCAFile")]
    files = [*target.certificates, *_files_of_mongodb(target.mongodb, "tlsCertificateKeyFile")]
    for file in dict.fromkeys(files):
        yield of_file(file, now)
    for file in dict.fromkeys(authorities):
        yield of_file(file, now, max)
    for endpoint in endpoints:
        yield await _of_server(endpoint, now)
    if not endpoints and not files and not authorities:
        yield Check(NAME, "files and servers").not_checked(
            "no server here speaks TLS by its address, and no file of certificates is named"
        )


def endpoints_of(target: Target) -> Iterator[Endpoint]:
    """Yield the servers that clients reach by TLS."""
    if target.kafka is not None and target.kafka.tls is not None:
        for host, port, _ in collect_hosts(target.kafka.bootstrap, randomize=False):
            yield Endpoint("Kafka", host, port)
    if target.mongodb is not None:
        yield from _of_mongodb(target.mongodb)
    for service, url in target.services.items():
        if (parts := urlsplit(url)).scheme == "https":
            yield Endpoint(service, parts.hostname or "", parts.port or 443)


def _of_mongodb(uri: str) -> Iterator[Endpoint]:
    parsed = _parsed(uri)
    if parsed["options"].get("tls"):
        for host, port in parsed["nodelist"]:
            yield Endpoint("MongoDB", host, port or 27017)


def _files_of_mongodb(uri: str | None, option: str) -> list[Path]:
    file = _parsed(uri)["options"].get(option) if uri else None
    return [Path(file)] if file else []


def _parsed(uri: str) -> Mapping[str, Any]:
    """Return hosts and options of a URI; none of one that is none, which the check of MongoDB says."""
    try:
        check_files(uri)
        return parse_uri(uri)
    except (PyMongoError, OSError, ValueError):
        return {"nodelist": [], "options": {}}


def of_file(file: Path, now: datetime, which: Which = min) -> Outcome:
    """Return whether the first of the certificates in a file ends soon; of a file of authorities, the last (`max`)."""
    about = Check(NAME, str(file))
    try:
        return _judged(about, x509.load_pem_x509_certificates(read_bytes(file)), now, OF_FILE, which)
    except OSError as fault:
        return about.not_checked(f"it cannot be read: {fault.strerror}")
    except ValueError:
        return about.wrong("it holds no certificate", "remove it, and run throughline deploy init again")


async def _of_server(endpoint: Endpoint, now: datetime) -> Outcome:
    about = Check(NAME, f"{endpoint.name} at {endpoint.host}:{endpoint.port}")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context)
    except (OSError, TimeoutError) as fault:
        return about.not_checked(f"it shows none ({type(fault).__name__})")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return _judged(about, [x509.load_der_x509_certificate(shown)], now, OF_SERVER, min)


def _judged(about: Check, certificates: Iterable[x509.Certificate], now: datetime, cure: str, which: Which) -> Outcome:
    end = which(each.not_valid_after_utc for each in certificates)
    if end <= now:
        return about.wrong(f"it ended on {end:%Y-%m-%d}", cure)
    if end - now < ENDS_SOON:
        return about.wrong(f"it ends on {end:%Y-%m-%d}, within {ENDS_SOON.days} days", cure)
    return about.fine(f"it ends on {end:%Y-%m-%d}")
