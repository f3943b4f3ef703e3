"""Starts, stops and crashes of a stack: its data survive, and no process is left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern
from typer.testing import CliRunner, Result

from tests.local.conftest import all_end, another_process_runs, running_processes
from tests.patience import AT_MOST_SECONDS
from tools.cli.app import app
from tools.local.memory import Memory
from tools.local.messages import CannotStart
from tools.local.processes import identity, spawn
from tools.local.service import Service
from tools.local.stack import Stack

pytestmark = pytest.mark.servers

TOPIC = "throughline.meetings"
MAJORITY = WriteConcern("majority", j=True)


def insert(stack: Stack, name: str) -> None:
    with MongoClient[dict[str, Any]](stack.mongodb_uri("meetings")) as client:
        client["throughline_meetings"].get_collection("commits", write_concern=MAJORITY).insert_one(
            {"_id": name, "command_id": name}
        )


def stored(stack: Stack) -> list[str]:
    with MongoClient[dict[str, Any]](stack.mongodb_uri("meetings")) as client:
        return [each["_id"] for each in client["throughline_meetings"]["commits"].find().sort("_id")]


class Stranger(ThreadingTCPServer):
    """Another server, which accepts connections and closes them."""

    allow_reuse_address = True


@contextmanager
def a_stranger_listens_on(port: int) -> Iterator[None]:
    server = Stranger(("127.0.0.1", port), BaseRequestHandler)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


async def publish(stack: Stack, text: bytes) -> None:
    async with AIOKafkaProducer(**stack.kafka_admin.client(), enable_idempotence=True) as producer:
        await producer.send_and_wait(TOPIC, text, key=b"meeting/synthetic")


async def published(stack: Stack, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(TOPIC, **stack.kafka.client(), auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_a_stack_keeps_its_data_after_a_stop_and_after_a_kill(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home", services=())
    stack.start()
    try:
        first = stack.memory.ports()
        insert(stack, "1 before the stop")
        await publish(stack, b"before the stop")
        processes = running_processes(stack.home)
        assert set(processes) == {"kafka", "mongodb", "smtp", "issuer"}
        stack.stop()
        assert all_end(processes, seconds=0.1)

        stack.start()
        insert(stack, "2 before the kill")
        await publish(stack, b"before the kill")
        for name in stack.pids():
            stack.kill(name)
        assert stack.pids() == {}
        for name in ("kafka", "mongodb", "smtp", "issuer"):
            stack.start_one(name)
        assert stored(stack) == ["1 before the stop", "2 before the kill"]
        assert await published(stack, 2) == [b"before the stop", b"before the kill"]
        assert stack.memory.ports() == first
    finally:
        stack.stop()


def throughline_stack(verb: str, home: Path) -> Result:
    return CliRunner().invoke(app, ["stack", verb, "--home", str(home)])


def test_children_die_with_a_killed_parent_and_another_process_stops_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert throughline_stack("status", home).exit_code == 1
    with another_process_runs(home) as first:
        processes = running_processes(home)
        assert set(processes) == {"kafka", "mongodb", "smtp", "issuer"}
        insert(Stack(home), "1 before the crash")
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert all_end(processes)

    port = Memory(home).ports()["mongodb"]
    with a_stranger_listens_on(port), another_process_runs(home) as second:
        processes = running_processes(home)
        assert Memory(home).ports()["mongodb"] != port
        assert stored(Stack(home)) == ["1 before the crash"]
        assert throughline_stack("status", home).exit_code == 0
        down = throughline_stack("down", home)
        assert (down.exit_code, down.stdout) == (0, "Stopped.\n")
        assert second.wait(30) == 0
    assert all_end(processes, seconds=0.1)
    assert throughline_stack("status", home).exit_code == 1
    again = throughline_stack("down", home)
    assert (again.exit_code, again.stdout) == (0, "Nothing was running.\n")


def test_a_service_that_cannot_start_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    absent = Service("absent", 1, {})
    child = spawn(absent.name, absent.command(), tmp_path / "absent.log", os.environ)
    with pytest.raises(CannotStart, match=r"(?s)absent ended with exit code 1 .*No module named 'services\.absent'"):
        absent.await_ready(child)


@pytest.mark.internals
def test_leftovers_of_a_crash_are_ended_but_never_another_process_with_the_same_id(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as sleeper:
        begun = identity(sleeper.pid)
        memory._update(processes={"kafka": {"pid": sleeper.pid, "begun": "another day"}})
        assert memory.end_leftovers() == []
        assert identity(sleeper.pid) == begun
        memory._update(processes={"kafka": {"pid": sleeper.pid, "begun": begun}})
        assert memory.end_leftovers() == ["kafka"]
        assert sleeper.wait(AT_MOST_SECONDS) == -signal.SIGTERM
