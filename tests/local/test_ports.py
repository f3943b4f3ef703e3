"""Ports for concurrent stacks: no other process takes the port of a stopped service."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.files import locked
from tools.local import ports

CHOOSE = """
import sys
from tools.local import ports
print(*(ports.choose(()) for _ in range(40)), flush=True)
sys.stdin.read()
"""


def another_process() -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", CHOOSE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_concurrent_processes_choose_no_port_twice_though_none_listens_yet() -> None:
    others = [another_process() for _ in range(4)]
    try:
        with ThreadPoolExecutor(len(others)) as waiting:
            lines = list(waiting.map(lambda process: process.stdout.readline(), others))  # type: ignore[union-attr]
        own = [ports.choose(()) for _ in range(40)]
    finally:
        for process in others:
            process.communicate()
    chosen = [int(port) for line in lines for port in line.split()] + own
    assert len(chosen) == len(set(chosen)) == 200
    assert all(20_000 <= port < 32_000 for port in chosen)


def test_a_port_in_use_or_already_taken_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    free = [port for port in range(33_000, 33_100) if ports.is_free(port)][:3]
    monkeypatch.setattr(ports, "_own", lambda: iter(free))
    with socket.create_server(("127.0.0.1", free[0])):
        assert ports.choose([free[1]]) == free[2]
    monkeypatch.setattr(ports, "_own", lambda: iter(free))
    with pytest.raises(OSError, match="no port"):
        ports.choose(free)


def test_choosing_fails_when_other_processes_hold_all_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(ports, "PROCESSES", 1)
    with locked(tmp_path / "throughline" / "ports" / "0.lock", wait=False), pytest.raises(OSError, match="1 processes"):
        ports._own.__wrapped__()
