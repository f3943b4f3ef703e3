"""Rights in MongoDB against deploy/mongodb.yaml, and whether each service's password is accepted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Set
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.events.services import SERVICES
from tools.client.stack_home import database, user_uri
from tools.deployment import grants
from tools.deployment.doctor.outcomes import Check, Fault, Outcome

SELECTION_MS = 5_000
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
ENSURE = (
    "give the user the role of deploy/mongodb.yaml and no other: throughline mongodb ensure (docs/compose.md, jobs)"
)
STRANGER = "drop the user: db.dropUser; administrators are users of the database admin"
RESET = "throughline mongodb ensure gives the user the password of its file (docs/backup.md, replacing passwords)"
OPEN = ("whoever reaches MongoDB may do everything", "turn authorization on, with a keyFile (docs/compose.md)")
Client = AsyncIOMotorClient[Any]
Right = tuple[str, str]
"""An action, and the resource that it is allowed on."""


async def check(
    client: Client, login: Mapping[str, Any], passwords: Mapping[str, str], uri: str
) -> AsyncIterator[Outcome]:
    """Compare the rights of each service's user; where only one's own may be seen, compare those."""
    own = next((each["user"] for each in login["authenticatedUsers"]), None)
    for service in SERVICES:
        about = Check("mongodb rights", f"the user {service} of {database(service)}, and other users there")
        try:
            users = [each["user"] for each in (await client[database(service)].command("usersInfo", 1))["users"]]
            held = await _privileges(client, service) if service in users else None
        except OperationFailure as failure:
            if failure.code != UNAUTHORIZED:
                raise
            if own != service:
                yield about.not_checked(f"the user {own} may not list users: it needs the role userAdminAnyDatabase")
                continue
            users, held = [service], login["authenticatedUserPrivileges"]
        differing = list(_faults(service, held, [user for user in users if user != service]))
        for outcome in about.judge([*differing, *([] if own else [OPEN])], "as deploy/mongodb.yaml declares"):
            yield outcome
    yield await _logins(passwords, uri)


async def _privileges(client: Client, service: str) -> list[Mapping[str, Any]]:
    query = {"user": service, "db": database(service)}
    answer = await client[database(service)].command("usersInfo", query, showPrivileges=True)
    return list(answer["users"][0]["inheritedPrivileges"])


def _faults(service: str, held: Iterable[Mapping[str, Any]] | None, strangers: Iterable[str]) -> Iterator[Fault]:
    if held is None:
        yield f"there is no user {service}", ENSURE
    else:
        yield from faults(service, rights_of(held), rights_of(grants.privileges(service)))
    for stranger in strangers:
        yield f"there is another user, {stranger}", STRANGER


def rights_of(privileges: Iterable[Mapping[str, Any]]) -> set[Right]:
    """Return each action on each resource."""
    return {(action, _resource(each["resource"])) for each in privileges for action in each["actions"]}


def _resource(resource: Mapping[str, Any]) -> str:
    if "db" in resource:
        return f"{resource['db'] or 'every database'}.{resource['collection'] or '*'}"
    return "the cluster" if "cluster" in resource else "every resource"


def faults(service: str, held: Set[Right], declared: Set[Right]) -> Iterator[Fault]:
    """Yield the rights that a user has too much, and those that it lacks, a sentence for each resource."""
    for says, rights in (("may, undeclared,", held - declared), ("lacks the right to", declared - held)):
        for resource in sorted({resource for _, resource in rights}):
            actions = sorted(action for action, each in rights if each == resource)
            yield f"{service} {says} {', '.join(actions)} on {resource}", ENSURE


async def _logins(passwords: Mapping[str, str], uri: str) -> Outcome:
    about = Check("mongodb passwords", f"logins of {', '.join(SERVICES)}")
    if not passwords:
        return about.not_checked("no passwords: --secrets DIR")
    refused = []
    for service, password in passwords.items():
        client: Client = AsyncIOMotorClient(user_uri(uri, service, password), serverSelectionTimeoutMS=SELECTION_MS)
        try:
            await client[database(service)].command("connectionStatus")
        except OperationFailure as failure:
            if failure.code != AUTHENTICATION_FAILED:
                raise
            refused.append(service)
        except PyMongoError as error:
            return about.not_checked(f"no answer ({type(error).__name__})")
        finally:
            client.close()
    if refused:
        return about.wrong(f"MongoDB does not accept the password of {', '.join(refused)}", RESET)
    return about.fine(f"accepted: {', '.join(passwords)}")
