"""MongoDB from a client's side: login, processor, members, versions, clock, disk, and indexes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo.errors import OperationFailure, PyMongoError

from shared.events.services import SERVICES
from shared.runtime.configuration import CannotStart
from shared.runtime.database import raise_if_refused
from shared.store import indexes
from shared.store.database_clock import DatabaseClock
from tools.client.indexes import declared
from tools.client.mongodb_client import UnusableUri, connect_async
from tools.client.stack_home import database
from tools.deployment import mongodb
from tools.deployment.doctor import mongodb_rights
from tools.deployment.doctor.outcomes import Check, Outcome, runbook
from tools.deployment.doctor.target import Target

SELECTION_MS = 5_000
UNAUTHORIZED = 13
FULL_FROM = 0.7  # as the alert ThroughlineDatabaseDiskFills
APART_SECONDS = 20.0  # as the alert ThroughlineClocksDiffer
OLDEST = (6, 0)
WORKING = frozenset({"PRIMARY", "SECONDARY", "ARBITER"})
LOGIN = "give the right user, password and TLS: --mongodb URI, with --password-file"
AWAY = f"start mongod, and read its log ({runbook('ThroughlineDatabaseAway')})"
CLUSTER_MONITOR = "the user may not ask: it needs the role clusterMonitor"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Client = AsyncIOMotorClient[Any]


async def check(target: Target) -> AsyncIterator[Outcome]:
    """Look at MongoDB as the user that was named, and at the logins of the services."""
    if target.mongodb is None:
        yield Check("mongodb", "MongoDB").not_checked("nothing says where it is: --mongodb URI")
        return
    try:
        client = connect_async(target.mongodb, serverSelectionTimeoutMS=SELECTION_MS)
    except UnusableUri as fault:
        yield Check("mongodb", "MongoDB").wrong(f"its address cannot be used: it {fault}", LOGIN)
        return
    try:
        async for outcome in _outcomes(client, target):
            yield outcome
    finally:
        client.close()


async def _outcomes(client: Client, target: Target) -> AsyncIterator[Outcome]:
    try:
        status = await client.admin.command("connectionStatus", showPrivileges=True)
    except PyMongoError as error:
        about = Check("mongodb", _hosts(client))
        yield await _failure(about, error, client)
        yield processor(_hosts(client), answers=isinstance(error, OperationFailure))
        return
    about = Check("mongodb", _hosts(client))
    user = next((each["user"] for each in status["authInfo"]["authenticatedUsers"]), None)
    yield about.fine(
        f"accepts {f'the user {user}' if user else 'whoever names no user, as far as the rights below go'}"
    )
    yield processor(_hosts(client), answers=True)
    yield await _looked("clock", client, _clock(client))
    yield await _looked("members", client, _members(client))
    yield await _looked("versions", client, _versions(client, target.mongodb or ""))
    yield await _looked("disk", client, _disk(client))
    yield await _looked("lock", client, _lock(client))
    yield await _log(client)
    async for outcome in mongodb_rights.check(
        client, status["authInfo"], target.mongodb_passwords, target.mongodb or ""
    ):
        yield outcome
    for service in SERVICES:
        yield await _indexes(client, service)


def _hosts(client: Client) -> str:
    return ", ".join(f"{host}:{port}" for host, port in client.delegate.topology_description.server_descriptions())


async def _failure(about: Check, error: PyMongoError, client: Client) -> Outcome:
    try:
        await raise_if_refused(error, client.admin)
    except CannotStart as refusal:
        return about.wrong(str(refusal).partition(": ")[2], LOGIN)
    return about.wrong(f"does not answer ({type(error).__name__}); the rest of it was not looked at", AWAY)


def processor(hosts: str, *, answers: bool, cpu: Path = mongodb.CPU) -> Outcome:
    """Return whether the processor can run mongod, which needs AVX on x86-64."""
    about = Check("mongodb processor", f"the machine of mongod, {hosts}")
    if answers:
        return about.fine("mongod runs there")
    if {host.rpartition(":")[0] for host in hosts.split(", ")} - LOOPBACK:
        return about.not_checked(
            "mongod does not answer, and is on another machine: grep -o -m1 avx /proc/cpuinfo there"
        )
    if not cpu.exists():
        return about.not_checked(f"this machine has no {cpu}")
    if lacks := mongodb.without_avx(cpu).strip():
        return about.wrong(lacks, "run mongod on a machine with AVX (docs/compose.md)")
    return about.fine("this machine has what mongod needs")


async def _looked(name: str, client: Client, look: Awaitable[Outcome]) -> Outcome:
    """Make one check; where the user may not, say so."""
    try:
        return await look
    except PyMongoError as error:
        why = CLUSTER_MONITOR if _is_forbidden(error) else f"no answer ({type(error).__name__})"
        return Check(f"mongodb {name}", _hosts(client)).not_checked(why)


def _is_forbidden(error: PyMongoError) -> bool:
    return isinstance(error, OperationFailure) and error.code == UNAUTHORIZED


async def _clock(client: Client) -> Outcome:
    clock = DatabaseClock(client.admin)
    await clock.measure()
    about = Check("mongodb clock", "this machine's clock, and MongoDB's")
    if abs(clock.ahead) > APART_SECONDS:
        says = f"this machine's is {abs(clock.ahead):.0f} s {'ahead' if clock.ahead > 0 else 'behind'}"
        return about.wrong(says, f"set the one that is wrong, by chrony ({runbook('ThroughlineClocksDiffer')})")
    return about.fine("less than a second apart" if abs(clock.ahead) < 1 else f"{abs(clock.ahead):.0f} s apart")


async def _members(client: Client) -> Outcome:
    about = Check("mongodb members", f"the replica set at {_hosts(client)}")
    members = (await client.admin.command("replSetGetStatus"))["members"]
    if lost := [f"{each['name']} is {each['stateStr']}" for each in members if each["stateStr"] not in WORKING]:
        return about.wrong(", ".join(lost), AWAY)
    return about.fine(", ".join(f"{each['name']} is {each['stateStr']}" for each in members))


async def _versions(client: Client, uri: str) -> Outcome:
    """Compare the versions of the members, and with the one whose features are on."""
    about = Check("mongodb versions", f"mongod at {_hosts(client)}")
    versions = {f"{host}:{port}": await _version_of(direct_uri(uri, host, port)) for host, port in _nodes(client)}
    if not versions:  # the client forgets a server that went away
        return about.not_checked("no member answers any more")
    if min(each[:2] for each in versions.values()) < OLDEST:
        return about.wrong(f"a mongod is older than {_dotted(OLDEST)}, and no test has run with it", "upgrade MongoDB")
    if len(set(versions.values())) > 1:
        says = ", ".join(f"{host} is {_dotted(version)}" for host, version in versions.items())
        return about.wrong(f"members differ: {says}", "end the upgrade of MongoDB, one member after another")
    [version] = set(versions.values())
    parameter = await client.admin.command("getParameter", 1, featureCompatibilityVersion=1)
    if (features := parameter["featureCompatibilityVersion"]["version"]) != _dotted(version[:2]):
        return about.wrong(
            f"mongod is {_dotted(version)}, with the features of {features} only",
            f'db.adminCommand({{setFeatureCompatibilityVersion: "{_dotted(version[:2])}"}}); since 7.0, confirm: true',
        )
    return about.fine(f"all {_dotted(version)}")


def _nodes(client: Client) -> list[tuple[str, int]]:
    return sorted((host, port or 27017) for host, port in client.delegate.nodes)


async def _version_of(uri: str) -> tuple[int, ...]:
    client: Client = AsyncIOMotorClient(uri, serverSelectionTimeoutMS=SELECTION_MS)
    try:
        return tuple((await client.server_info())["versionArray"][:3])
    finally:
        client.close()


def direct_uri(uri: str, host: str, port: int) -> str:
    """Return the URI of one member of a replica set, with the user and the options of the set's."""
    parts = urlsplit(uri)
    user, at, _ = parts.netloc.rpartition("@")
    implied = {"tls": "true"} if parts.scheme == "mongodb+srv" else {}
    options = implied | dict(parse_qsl(parts.query)) | {"directConnection": "true"}
    options.pop("replicaSet", None)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return urlunsplit(("mongodb", f"{user}{at}{where}", "/", urlencode(options), ""))


def _dotted(version: Any) -> str:
    return ".".join(map(str, version))


async def _disk(client: Client) -> Outcome:
    about = Check("mongodb disk", f"the data folder at {_hosts(client)}")
    return disk_of(about, await _stats(client))


async def _stats(client: Client) -> Mapping[str, Any]:
    """Return the sizes of any database that the user may measure. Raises OperationFailure."""
    for service in SERVICES[:-1]:
        try:
            return await client[database(service)].command("dbStats")
        except OperationFailure as failure:
            if failure.code != UNAUTHORIZED:
                raise
    return await client[database(SERVICES[-1])].command("dbStats")


def disk_of(about: Check, stats: Mapping[str, Any]) -> Outcome:
    """Return whether MongoDB's disk fills."""
    if not (total := stats.get("fsTotalSize")):
        return about.not_checked("this MongoDB does not tell the size of its disk")
    share = stats["fsUsedSize"] / total
    if share > FULL_FROM:
        return about.wrong(f"{share:.0%} full", runbook("ThroughlineDatabaseDiskFills"))
    return about.fine(f"{share:.0%} full")


async def _lock(client: Client) -> Outcome:
    about = Check("mongodb lock", f"whether {_hosts(client)} is held still for a backup")
    if (await client.admin.command("currentOp", 1, ns="none")).get("fsyncLock"):
        return about.wrong(
            "it takes no writes: a backup runs, or one was killed", "throughline backup release (docs/backup.md)"
        )
    return about.fine("it takes writes")


async def _log(client: Client) -> Outcome:
    about = Check("mongodb log", f"whether {_hosts(client)} logs what slow operations store")
    try:
        logged = await client[database(SERVICES[0])].command("profile", -1)
    except PyMongoError as error:
        why = "the user may not ask: it needs the role dbAdminAnyDatabase"
        return about.not_checked(why if _is_forbidden(error) else f"no answer ({type(error).__name__})")
    if logged["was"] or logged.get("sampleRate", 1.0) > 0:
        return about.wrong(
            "it repeats slow operations with their content: keys of persons, names, which then outlive an erasure",
            "operationProfiling of deploy/mongod.conf, and start it again; remove its older logs",
        )
    return about.fine("it repeats no slow operation with its content")


async def _indexes(client: Client, service: str) -> Outcome:
    own: AsyncIOMotorDatabase[Any] = client[database(service)]
    about = Check("mongodb indexes", f"collections and indexes of {own.name}")
    try:
        differences = await indexes.differences(own, declared(service))
    except PyMongoError as error:
        return about.not_checked(f"the user may not list them of {own.name}" if _is_forbidden(error) else str(error))
    if differences:
        cure = f"throughline indexes ensure {service} creates what is missing; drop the undeclared (docs/upgrade.md)"
        return about.wrong("; ".join(differences), cure)
    return about.fine("as declared")
