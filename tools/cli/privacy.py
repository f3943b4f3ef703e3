"""`throughline privacy`: the rights of a person, access and erasure, exercised through the secretariat."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import orjson
import typer

from shared.domain.actors import BEGINS
from shared.events.services import REGISTRY
from tools.cli.options import confirm, read_person, read_text
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import CommandRefused, Failure, exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_json, print_line

OWNERS = {service.name: service.persons_path for service in REGISTRY if service.person_kind}
OTHERS = tuple(service.name for service in REGISTRY if not service.person_kind)
Person = Annotated[str, typer.Argument(help="The person's opaque id.")]
_BOX = "sealed"


def erase(
    person: Person,
    reason: Annotated[str, typer.Option("--reason", help="On what ground; kept for ever, so never about the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Destroy the key that opens a person's name and contact, for good, and record that it was done.

    Where the person is one who records, named by an actor, the staff list forgets the name for good.

    Example: throughline privacy erase synthetic-person --reason "request of the person"

    No event, trace or count changes: nobody can open what was sealed any more. Copies of the key go with the
    backups; docs/privacy.md says when.

    Exit code: 0 when the person is erased everywhere, also if it was before; 1 when nothing is held about the person,
    or it was refused; 2 for bad input; 3 when a service does not answer: run it again.
    """
    with exits():
        read_person(person)
        ground = read_text("--reason", reason)
        confirm(f"Nobody will open {person} again. Continue?", "erased", yes=yes)
        with Services(Connection(home, token), "secretariat") as services:
            for line in erased(services, person, ground):
                print_line(line)


def erased(services: Services, person: str, reason: str) -> list[str]:
    """Erase a person in every service that holds a key; return a sentence for each. Raises Failure where none does."""
    lines: list[str] = []
    for service, path in OWNERS.items():
        try:
            services.send(service, f"{path}/{person}/erase", {"reason": reason}, str(uuid4()))
            lines.append(f"{service}: erased; the key is destroyed.")
        except CommandRefused as refusal:
            if refusal.rule == "OutOfOrder":
                lines.append(f"{service}: was erased before.")
            elif refusal.rule != "NothingIsHeldOfPerson":
                raise Failure(f"{service}: {refusal}") from None
    if services.find("nominations", f"/staff/{person}/erase", method="POST") is not None:
        lines.append("nominations: erased from the staff list.")
    if not lines:
        raise Failure(f"Nothing was ever sealed of {person}: check the id.")
    return lines


def export(person: Person, shown_as: Format = "text", home: Home = DEFAULT_HOME, token: Token = None) -> None:
    """Show everything that is held about a person, sealed fields opened: the answer to a subject access request.

    Example: throughline privacy export synthetic-person --format json

    Exit code: 0 with what is held; 1 when nothing is, or it was refused; 2 for bad input; 3 when a service does not
    answer.
    """
    with exits():
        read_person(person)
        with Services(Connection(home, token), "secretariat") as services:
            holdings = held(services, person)
    if shown_as == "json":
        print_json(holdings)
    else:
        for line in in_words(holdings):
            print_line(line)


def held(services: Services, person: str) -> dict[str, Any]:
    """Return what the services hold about a person. Raises Failure where they hold nothing."""
    holdings: dict[str, Any] = {
        service: answer
        for service, path in OWNERS.items()
        if (answer := services.find(service, f"{path}/{person}")) is not None
    }
    subjects = {each["event"]["subject"] for answer in holdings.values() for each in answer["events"]}
    sought = [f"stream={stream}" for stream in sorted(subjects) if stream.startswith("membership/")]
    sought += [f"actor={person}"] if person.startswith(BEGINS) else []
    for service in OTHERS:
        lines = (line for each in sought for line in services.lines(service, "GET", f"/events?{each}"))
        events = [{"event": orjson.loads(line)} for line in lines]
        if events:
            holdings[service] = {"events": events}
    if not holdings:
        raise Failure(f"Nothing is held about {person}: check the id.")
    from shared.events.envelope import stamp

    return {"person": person, "asked_at": stamp(datetime.now(UTC)), "services": holdings}


def in_words(holdings: dict[str, Any]) -> Iterator[str]:
    """Describe the holdings about a person, event by event."""
    yield f"Everything that is held about {holdings['person']}, as of {holdings['asked_at']}."
    for service, answer in holdings["services"].items():
        yield ""
        yield f"{service}: {len(answer['events'])} events{', the key is destroyed' if answer.get('erased') else ''}."
        if "staff_name" in answer:
            yield f"  on the staff list: {answer['staff_name']}"
        for each in answer["events"]:
            yield from _event(each)
    yield ""
    yield "The same events lie on the service's Kafka topic and in the journals of the services that consumed them."
    yield "A paper whose digest is named is kept by the service as it was uploaded, if it was."


def _event(each: dict[str, Any]) -> Iterator[str]:
    event = each["event"]
    name = event["type"].split(".")[2]
    yield f"  {event['time']}  {name}, version {event['streamversion']} of {event['subject']}"
    for field, value in _fields(event["data"]):
        yield f"      {field}: {value}"
    match each.get("opened"):
        case dict() as opened:
            yield from (f"      {field} (sealed): {value}" for field, value in opened.items())
        case str(why):
            yield f"      sealed: {why}"
        case _:
            return


def _fields(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        match value:
            case dict() if name == _BOX:
                continue
            case dict():
                yield from _fields(value, f"{prefix}{name.replace('_', ' ')}, ")
            case list():
                yield f"{prefix}{name.replace('_', ' ')}", ", ".join(map(str, value)) or "none"
            case _:
                yield f"{prefix}{name.replace('_', ' ')}", str(value)
