"""Rebuilds under live writes, restores of older backups, an oplog rolled over, a full disk, a clock set back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from tests.faults.rig.comparison.idle import wait_until_idle
from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.injecting.servers import is_producer
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import OPLOG_MB
from tests.faults.rig.rig import Rig
from tools.local.stack import ALL_FOUR

SERVICE = "recommendations"
CAPPED_POSITION_LOST = 136
WITH_KEYS = ("nominations", "notifications")


@fault("13", "rebuild under live writes: no reader sees a hole", SERVICE)
def rebuilt(rig: Rig, service: str) -> None:
    with readers(rig) as holes:
        for _ in range(3 if rig.long else 1):
            answer = rig.client("operator").operate(service, "/operations/rebuild")
            finished = answer is not None and '"finished":true' in answer.text
            rig.expect(finished, f"the rebuild of {service} did not finish: {answer and answer.text[-200:]}")
    rig.expect(not holes, f"during a rebuild readers saw: {holes[:3]}")


@contextmanager
def readers(rig: Rig) -> Iterator[list[str]]:
    """Query some traces again and again during a block; yield the missing ones and those older than before."""
    holes: list[str] = []
    over = threading.Event()
    client, revisions = rig.client(), dict[str, int]()
    references = rig.load.world.recommendations.some(rig.chance, 20)

    def read() -> None:
        while not over.is_set():
            for reference in references:
                shown: Any = client.read(SERVICE, f"/traces/{reference}", wait=0)
                if shown is None:
                    holes.append(f"no trace of {reference}")
                elif shown["revision"] < revisions.get(reference, 0):
                    holes.append(f"an older trace of {reference}")
                else:
                    revisions[reference] = shown["revision"]

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield holes
    finally:
        over.set()
        thread.join(30)


@fault("13", "an older backup of MongoDB restored: relays refuse, `throughline refill` loses nothing", touches_all=True)
def restored(rig: Rig, _service: str) -> None:
    stack, data = rig.platform.stack, rig.platform.disk.folder / "data"
    backup = rig.platform.disk.folder / "backup"
    stack.kill("mongodb")
    shutil.copytree(data, backup)
    stack.start_one("mongodb")
    rig.expect(rig.load.await_progress() is not None, "clients were not served after the backup was taken")
    for service in ALL_FOUR:
        rig.canary(service)
    with rig.load.held_back():
        rig.expect(wait_until_idle(rig.platform, AT_MOST), "the platform did not become idle before the restore")
        keys = _keys(rig)
        stack.kill("mongodb")
        shutil.rmtree(data)
        backup.rename(data)
        stack.start_one("mongodb")
        _restore_keys(rig, keys)
        for service in ALL_FOUR:
            rig.await_that(partial(_refuses, rig, service), f"{service} accepted the restored store as complete")
        for service in ALL_FOUR:
            _refill(rig, service)
        rig.supervise()


def _keys(rig: Rig) -> dict[str, list[dict[str, Any]]]:
    """Return the keys of persons by service: they are on no topic, and are backed up apart and more often."""
    keys = {}
    for service in WITH_KEYS:
        with rig.database(service) as database:
            keys[service] = list(database["keys"].find())
    return keys


def _restore_keys(rig: Rig, keys: dict[str, list[dict[str, Any]]]) -> None:
    for service, documents in keys.items():
        with rig.database(service) as database:
            for document in documents:
                database["keys"].replace_one({"_id": document["_id"]}, document, upsert=True)


def _refuses(rig: Rig, service: str) -> bool:
    return not any(instance.ready() for instance in rig.platform.instances[service])


def _refill(rig: Rig, service: str) -> None:
    throughline = Path(sys.executable).with_name("throughline")
    command = [str(throughline), "refill", service, "--home", str(rig.platform.stack.home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rig.expect(done.returncode == 0, f"throughline refill {service}: {done.stdout}{done.stderr}")


@fault("also", "oplog rolled over while the relay was cut off, then killed")
def oplog_rolled_over(rig: Rig, service: str) -> None:
    with rig.platform.kafka[service].shut(is_producer):
        time.sleep(1.5)
        _roll_over(rig)
        instance = rig.platform.first(service)
        instance.kill()
        instance.start()
    instance.await_ready()
    rig.await_that(lambda: _compares_heads(rig, service), f"no relay of {service} reported that its token was too old")


def _compares_heads(rig: Rig, service: str) -> bool:
    return any('"token_too_old"' in instance.child.output() for instance in rig.platform.instances[service])


def _roll_over(rig: Rig) -> None:
    """Write until the oldest oplog entry is newer than the newest one now; MongoDB cuts the oplog at a checkpoint."""
    with MongoClient[dict[str, Any]](rig.platform.stack.mongodb_admin_uri) as client:
        oplog, ballast = client.local["oplog.rs"], client["scratch"]["ballast"]
        newest = oplog.find_one(sort=[("$natural", -1)])
        rolled = False
        until = time.monotonic() + AT_MOST
        while newest is not None and not rolled and time.monotonic() < until:
            ballast.insert_many([{"of": "x" * 200_000} for _ in range(OPLOG_MB)])
            ballast.drop()
            oldest = _oldest(oplog)
            rolled = oldest is not None and oldest["ts"] > newest["ts"]
            time.sleep(0.1)
    rig.expect(rolled, "the oplog did not roll over")


def _oldest(oplog: Collection[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the oldest entry; None where MongoDB removes it meanwhile."""
    try:
        return oplog.find_one(sort=[("$natural", 1)])
    except OperationFailure as failure:
        if failure.code != CAPPED_POSITION_LOST:
            raise
        return None


@fault("also", "a full disk for MongoDB", touches_all=True)
def disk_full(rig: Rig, _service: str) -> None:
    stack = rig.platform.stack
    with rig.platform.disk.full():
        until = time.monotonic() + 10
        while "mongodb" in stack.pids() and time.monotonic() < until:
            time.sleep(0.1)
        rig.expect(rig.load.await_progress(20, 3) is None, "the disk was full, and commands were still acknowledged")
    if "mongodb" not in stack.pids():
        rig.say("      (mongod exited when the disk was full, and the rig restarted it with free space)")
        stack.start_one("mongodb")


@fault("also", "the clock of a service stepping backwards by an hour: it takes no commands until it is set right")
def clock_back(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    with ExitStack() as armed:
        for instance in instances:
            armed.enter_context(instance.points.armed_while("clock an hour back"))
        for instance in instances:
            rig.await_that(
                lambda each=instance: "behind its database" in each.troubles(),  # type: ignore[misc]
                f"{instance.name} is ready with its clock an hour back",
            )
        time.sleep(20 if rig.long else 5)
    rig.supervise()
    rig.canary(service)
