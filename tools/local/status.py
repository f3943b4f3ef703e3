"""Status of the servers and services of a stack, for any process."""

import os
import signal
import time
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tools.files import Locked, locked
from tools.local.console import Console
from tools.local.console import is_ready as console_is_ready
from tools.local.memory import Memory
from tools.local.ports import answers
from tools.local.service import is_ready


@dataclass(frozen=True)
class Status:
    """A server or service: `up` if it serves, `not ready` if it only runs; `pid` only if the stack started it."""

    state: Literal["up", "not ready", "down"]
    where: str
    pid: int | None


def probe(memory: Memory) -> dict[str, Status]:
    """Probe each server and service. Raises LookupError if the stack was never started."""
    kafka, mongodb = memory.servers()
    ports, pids = memory.ports(), memory.processes()
    smtp = f"127.0.0.1:{ports['smtp']}"
    hosts = mongodb.rpartition("@")[2].partition("/")[0]
    probes = {
        "kafka": (kafka, any(answers(each) for each in kafka.split(","))),
        "mongodb": (hosts, _mongodb_serves(mongodb)),
        "smtp": (smtp, answers(smtp)),
    }
    if (issuer := memory.issuer()) is not None:
        probes["issuer"] = (issuer, answers(issuer.partition("//")[2]))
    with httpx2.Client(trust_env=False, timeout=5) as client:
        for name in memory.services():
            url = f"http://127.0.0.1:{ports[name]}"
            probes[name] = (url, is_ready(url, client))
        if Console.name in pids:
            url = f"http://127.0.0.1:{ports[Console.name]}"
            probes[Console.name] = (url, console_is_ready(url, client))
    return {name: _status(serves, where, pids.get(name)) for name, (where, serves) in probes.items()}


def _status(serves: bool, where: str, pid: int | None) -> Status:
    return Status("up" if serves else "not ready" if pid else "down", where, pid)


def _mongodb_serves(uri: str) -> bool:
    try:
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=2000) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def stop_from_outside(memory: Memory, patience: float = 90.0) -> bool:
    """Stop the stack of another process, and the leftovers of a crashed one; return True if anything ran."""
    owner = memory.owner()
    if owner is not None:
        os.kill(owner[0], signal.SIGTERM)
    deadline = time.monotonic() + patience
    while True:
        try:
            with locked(memory.lock, wait=False):
                return bool(memory.end_leftovers()) or owner is not None
        except Locked:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the stack in {memory.home} did not stop within {patience:.0f} s") from None
            time.sleep(0.1)
