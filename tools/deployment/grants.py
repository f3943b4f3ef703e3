"""Least rights in MongoDB: one role and one user for each service, as deploy/mongodb.yaml declares them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from tools.client.mongodb_client import UnusableUri, connect, refusal
from tools.client.stack_home import database, user_uri
from tools.deployment.messages import CannotStart
from tools.files import CHECKOUT

__all__ = ["database", "grant", "privileges", "user_uri"]

DECLARATION = CHECKOUT / "deploy/mongodb.yaml"
UNAUTHORIZED = 13
ABSENT = (11, 31)
"""Codes of a user and of a role that is not found."""
THERE = (51002, 51003)
"""Codes of a role and of a user that exists."""


def privileges(service: str, declaration: Path = DECLARATION) -> list[dict[str, Any]]:
    """Return the privileges of a service, as MongoDB's createRole takes them."""
    declared = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    rights = [{"resource": {"db": database(service), "collection": ""}, "actions": declared["database"]["actions"]}]
    for kind in ("insert_only", "read_write"):
        for collection in declared[kind]["collections"]:
            resource = {"db": database(service), "collection": collection}
            rights.append({"resource": resource, "actions": declared[kind]["actions"]})
    return rights


def grant(admin_uri: str, passwords: Mapping[str, str], declaration: Path = DECLARATION) -> None:
    """Create or update the role and the user of each service named in `passwords`."""
    try:
        with connect(admin_uri) as client:
            if not {"setName", "msg"} & client.admin.command("hello").keys():
                raise CannotStart(
                    "The MongoDB in THROUGHLINE_MONGODB is no replica set; it must be one, if only of one member."
                )
            for service, password in passwords.items():
                owned = client[database(service)]
                rights = privileges(service, declaration)
                _put(owned, "Role", service, privileges=rights, roles=[])
                _put(owned, "User", service, pwd=password, roles=[service])
    except OperationFailure as failure:
        if failure.code != UNAUTHORIZED:
            raise CannotStart(f"MongoDB refused to create the users of the services: {refusal(failure)}") from failure
        raise CannotStart(
            "The user in THROUGHLINE_MONGODB may not create roles and users. It needs the role userAdminAnyDatabase\n"
            f"(or root): {refusal(failure)}"
        ) from failure
    except UnusableUri:
        raise
    except PyMongoError as failure:
        reason = str(failure).partition(", Timeout:")[0]
        raise CannotStart(f"MongoDB does not answer: {reason}") from failure


def _put(owned: Database[dict[str, Any]], kind: str, name: str, **fields: Any) -> None:
    """Update a role or user, or create one that is absent; another process may create it at the same time."""
    for verb in ("update", "create"):
        try:
            owned.command(f"{verb}{kind}", name, **fields)
        except OperationFailure as failure:
            if failure.code not in (*ABSENT, *THERE):
                raise
        else:
            return
    owned.command(f"update{kind}", name, **fields)
