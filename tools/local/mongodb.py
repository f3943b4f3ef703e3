"""A real MongoDB: a replica set of one member, with authentication from its first start."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from tools.files import CHECKOUT, read_json, write, write_json
from tools.local import fetch
from tools.local.messages import Say
from tools.local.processes import Child, wait_until

CONFIG = CHECKOUT / "deploy/mongod.conf"
ALREADY_INITIALIZED = 23
AUTHENTICATION_FAILED = 18
NOT_YET_INITIALIZED = 94
Client = MongoClient[dict[str, Any]]


class Upkeep(NamedTuple):
    """Size of the oplog, and the interval of the checkpoints at which the server truncates it."""

    oplog_mb: int = 256
    checkpoint_seconds: int = 60


DEFAULT_UPKEEP = Upkeep()


class MongoDB:
    """The server, with data under `home`, for clients on `port`."""

    name = "mongodb"

    def __init__(self, home: Path, port: int, password: str, say: Say, upkeep: Upkeep = DEFAULT_UPKEEP) -> None:
        self.where = f"127.0.0.1:{port}"
        self.admin_uri = f"mongodb://admin:{password}@{self.where}/?replicaSet=throughline&authSource=admin"
        self._home, self._password, self._say, self._upkeep = home, password, say, upkeep
        self._member = home / "member.json"

    def prepare(self) -> None:
        """Create the data folder, and the key file that a replica set needs for authentication; fetch mongod."""
        self._binary = fetch.mongod(self._say)
        (self._home / "data").mkdir(parents=True, exist_ok=True)
        if not (self._home / "key").exists():
            write(self._home / "key", secrets.token_urlsafe(384).replace("-", "+").replace("_", "/") + "\n")

    def command(self) -> Sequence[str]:
        port = self.where.rpartition(":")[2]
        return [
            *(str(self._binary), "--config", str(CONFIG), "--dbpath", str(self._home / "data")),
            *("--bind_ip", "127.0.0.1", "--port", port, "--nounixsocket", "--replSet", "throughline"),
            *("--keyFile", str(self._home / "key"), "--wiredTigerCacheSizeGB", "0.5"),
            *("--oplogSize", str(self._upkeep.oplog_mb), "--syncdelay", str(self._upkeep.checkpoint_seconds)),
            *("--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=8MB)"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]

    def environment(self) -> Mapping[str, str]:
        return fetch.mongod_environment(self._binary)

    def await_ready(self, child: Child) -> None:
        """Wait until the server is primary; the first time, initiate the replica set and create the administrator."""
        with self._connect() as anonymous:
            wait_until(child, lambda: _hello(anonymous) is not None)
            member = read_json(self._member).get("host")
            if member is None:
                self._initiate(anonymous)
            elif member != self.where:
                self._move(child)
            wait_until(child, lambda: bool((_hello(anonymous) or {}).get("isWritablePrimary")))
            if member is None:
                self._create_admin(anonymous)
            write_json(self._member, {"host": self.where})

    def _initiate(self, anonymous: Client) -> None:
        members = [{"_id": 0, "host": self.where}]
        try:
            anonymous.admin.command("replSetInitiate", {"_id": "throughline", "members": members})
        except OperationFailure as failure:
            if failure.code != ALREADY_INITIALIZED and not self._admin_exists():
                raise

    def _create_admin(self, anonymous: Client) -> None:
        if not self._admin_exists():
            anonymous.admin.command("createUser", "admin", pwd=self._password, roles=["root"])

    def _admin_exists(self) -> bool:
        try:
            with self._connect_as_admin() as client:
                client.admin.command("ping")
        except OperationFailure as failure:
            if failure.code != AUTHENTICATION_FAILED:
                raise
            return False
        return True

    def _move(self, child: Child) -> None:
        """Reconfigure the replica set: its only member answers on another port now.

        The member accepts that only after it has probed its old port: half a minute, if a silent stranger holds it.
        """
        self._say("mongodb: its port was taken, so it moves to another one (up to a minute) ...")
        with self._connect_as_admin() as client:
            wait_until(child, lambda: _reconfigured(client, self.where))

    def _connect_as_admin(self) -> Client:
        return self._connect(f"admin:{self._password}@")

    def _connect(self, credentials: str = "") -> Client:
        uri = f"mongodb://{credentials}{self.where}/"
        return MongoClient(uri, directConnection=True, serverSelectionTimeoutMS=2000)


def _reconfigured(client: Client, where: str) -> bool:
    config = client.local["system.replset"].find_one()
    if config is None:
        return False
    config |= {"members": [config["members"][0] | {"host": where}], "version": config["version"] + 1}
    try:
        client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as failure:
        if failure.code != NOT_YET_INITIALIZED:
            raise
        return False
    return True


def _hello(client: Client) -> dict[str, Any] | None:
    try:
        return client.admin.command("hello")
    except ConnectionFailure:
        return None
