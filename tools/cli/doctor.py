"""`throughline doctor`: what is wrong with a deployment."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from shared.events.services import SERVICES
from shared.runtime.kafka_access import KafkaAccess
from tools.cli.named_mongodb import (
    ADMIN_MONGODB,
    of_this_service,
    password_option,
    uri_option,
    with_password_of,
)
from tools.client.connection import Connection, Format, Home, configured_kafka
from tools.client.errors import BadInput, Unreachable, exits
from tools.client.stack_home import DEFAULT_HOME, StackHome, service_of_environment
from tools.deployment.doctor.checks import check
from tools.deployment.doctor.outcomes import STATES, Outcome
from tools.deployment.doctor.target import Profile, Secrets, Target, read_secrets
from tools.files import NotAFile
from tools.render.terminal import print_json, print_line

ADMIN = "THROUGHLINE_DOCTOR_MONGODB"
NO_SECRETS = Secrets({}, {}, (), ())


def doctor(
    kafka: Annotated[
        str | None,
        typer.Option(
            envvar="THROUGHLINE_KAFKA", metavar="HOST:PORT", help="Kafka; the local stack's where nothing is named."
        ),
    ] = None,
    mongodb: Annotated[
        str | None,
        uri_option(
            ADMIN, "MongoDB, as an administrator; else the user of THROUGHLINE_MONGODB.", "THROUGHLINE_INDEXES_MONGODB"
        ),
    ] = None,
    password_file: Annotated[Path | None, password_option(ADMIN, "THROUGHLINE_INDEXES_MONGODB", ADMIN_MONGODB)] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(
            envvar="THROUGHLINE_SECRETS",
            metavar="DIR",
            help="Folder of throughline deploy init: its passwords are tried, its certificates read.",
        ),
    ] = None,
    certificates: Annotated[
        list[Path] | None, typer.Option("--certificate", metavar="FILE", help="A further file of certificates (PEM).")
    ] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="Copies of each record that Kafka should hold: of one node, or of a cluster.",
            show_default="deployed; local on the local stack",
        ),
    ] = None,
    form: Format = "text",
    home: Home = DEFAULT_HOME,
) -> None:
    """Look at a deployment from outside and from within, and say what is wrong; nothing is changed.

    Example: throughline doctor

    Without options it looks at the local stack. Elsewhere THROUGHLINE_KAFKA_USER and the settings beside it log in to
    Kafka, and THROUGHLINE_URL_… name the services. Each finding says what was looked at, what is wrong and what to do;
    what could not be looked at is said with the reason. In the container of a service it looks at that service's
    settings too (docs/doctor.md).

    Exit code: 0 when nothing is wrong; 1 when something is; 2 for bad input, and when nothing says where to look.
    """
    with exits():
        stored = read_secrets(secrets) if secrets else NO_SECRETS
        files = [*stored.certificates, *(certificates or ())]
        addresses = _addresses(Connection(home))
        named = {
            service: url for service, url in addresses.items() if f"THROUGHLINE_URL_{service.upper()}" in os.environ
        }
        uri = _uri(mongodb, password_file)
        if kafka or uri or named:
            access = configured_kafka(kafka) if kafka else None
            target = _named(access, uri, named, profile or "deployed", stored, files)
        else:
            target = _local(home, addresses, profile or "local", files)
        with ThreadPoolExecutor(1) as pool:
            outcomes = pool.submit(asyncio.run, check(target)).result()
    _print_as_json(outcomes) if form == "json" else _print(outcomes)
    if any(each.state == "wrong" for each in outcomes):
        raise typer.Exit(1)


def _addresses(connection: Connection) -> dict[str, str]:
    """Return the addresses of the services that somebody named, or that the local stack runs. Raises BadInput."""
    addresses = {}
    for service in SERVICES:
        try:
            addresses[service] = connection.url(service)
        except Unreachable:
            continue
    return addresses


def _uri(mongodb: str | None, password_file: Path | None) -> str | None:
    if mongodb is None:
        return of_this_service() if service_of_environment() is not None else None
    return with_password_of(mongodb, password_file)


def _named(
    kafka: KafkaAccess | None,
    mongodb: str | None,
    addresses: dict[str, str],
    profile: Profile,
    stored: Secrets,
    files: Sequence[Path],
) -> Target:
    tls = kafka.tls if kafka else None
    own = [tls.cert_file] if tls and tls.cert_file else []
    return Target(
        kafka,
        mongodb,
        addresses,
        profile,
        stored.kafka,
        stored.mongodb,
        stored.untried,
        [*own, *files],
        [tls.ca_file] if tls and tls.ca_file else [],
    )


def _local(home: Path, addresses: dict[str, str], profile: Profile, files: Sequence[Path]) -> Target:
    stack = StackHome(home)
    try:
        kafka, (_, mongodb) = stack.kafka_admin(), stack.servers()
        passwords = {service: stack.password(service) for service in SERVICES}
    except LookupError:
        raise BadInput(
            f"Nothing says where to look: name Kafka (--kafka HOST:PORT), MongoDB ({ADMIN}) and the services "
            "(THROUGHLINE_URL_…), or start a stack (throughline stack up)."
        ) from None
    except NotAFile as fault:
        raise BadInput(f"{fault}.") from None
    return Target(kafka, mongodb, addresses, profile, stack.kafka_passwords(), passwords, (), files, (), is_local=True)


def _print(outcomes: Sequence[Outcome]) -> None:
    names = Counter(each.check for each in outcomes)
    for state in STATES:
        for each in (outcome for outcome in outcomes if outcome.state == state):
            of = f" ({each.subject})" if state == "fine" and names[each.check] > 1 else ""
            print_line(f"{state.upper() if state == 'wrong' else state}: {each.check}{of}: {each.says}")
            if state != "fine":
                print_line(f"    looked at: {each.subject}")
            if each.cure:
                print_line(f"    to do: {each.cure}")
    counts = Counter(each.state for each in outcomes)
    print_line(f"{len(outcomes)} checks: {', '.join(f'{counts[state]} {state}' for state in STATES)}.")


def _print_as_json(outcomes: Sequence[Outcome]) -> None:
    counts = Counter(each.state for each in outcomes)
    print_json({**{state: counts[state] for state in STATES}, "checks": [asdict(each) for each in outcomes]})
