"""Child processes that never outlive this one, and the leftovers of an earlier one."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tools.files import CHECKOUT
from tools.local.messages import CannotStart, Say

STILL_STARTING_SECONDS = 10.0
LAUNCH = Path(__file__).with_name("launch.py")
Spawned = subprocess.Popen[bytes]

_orders: queue.SimpleQueue[tuple[Callable[[], Spawned], Future[Spawned]]] = queue.SimpleQueue()
_spawner_lock = threading.Lock()
_spawner: threading.Thread | None = None


def _silent(_line: str) -> None:
    """Print nothing."""


@dataclass
class Child:
    """A child process and its log, from the offset `log_start` on; `say` reports its start."""

    name: str
    process: Spawned
    log: Path
    log_start: int
    say: Say = _silent

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        """Return its output since it started."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def last_line(self) -> str:
        """Return where its log is, with the last line of it."""
        lines = self.output().split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{self.log} ends with: {last[:200]}" if last else f"{self.log} is empty"

    def failed(self, why: str) -> CannotStart:
        last = "\n".join("    " + line for line in self.output().splitlines()[-25:]) or "    (it wrote nothing)"
        return CannotStart(f"{self.name} {why}. The end of {self.log}:\n{last}")


def spawn(
    name: str,
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    say: Say = _silent,
    folder: Path = CHECKOUT,
) -> Child:
    """Start a command in a session of its own, out of reach of Ctrl-C; it dies with this process."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        start = output.tell()
        launch = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), *command]

        def order() -> Spawned:
            return subprocess.Popen(
                launch,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )

        return Child(name, _spawn_in_lasting_thread(order), log, start, say)


def _spawn_in_lasting_thread(order: Callable[[], Spawned]) -> Spawned:
    """Spawn from one thread that never ends: Linux kills such a child when its parent thread ends."""
    global _spawner
    with _spawner_lock:
        if _spawner is None:
            _spawner = threading.Thread(target=_spawn_for_ever, name="spawner", daemon=True)
            _spawner.start()
    future: Future[Spawned] = Future()
    _orders.put((order, future))
    return future.result()


def _spawn_for_ever() -> None:
    while True:
        order, future = _orders.get()
        try:
            future.set_result(order())
        except OSError as error:
            future.set_exception(error)


def wait_until(child: Child, ready: Callable[[], bool], seconds: float | None = None) -> None:
    """Wait for a child to become ready for as long as it lives, and report every ten seconds that it still starts.

    Raises CannotStart with the end of its log when it ends before it is ready, or after `seconds` where given.
    """
    began = time.monotonic()
    report_at = began + STILL_STARTING_SECONDS
    while not ready():
        now = time.monotonic()
        if not child.running():
            raise child.failed(f"ended with exit code {child.process.returncode} before it was ready")
        if seconds is not None and now > began + seconds:
            raise child.failed(f"was not ready after {seconds:.0f} s")
        if now >= report_at:
            child.say(f"{child.name} is still starting after {now - began:.0f} s; {child.last_line()}")
            report_at = now + STILL_STARTING_SECONDS
        time.sleep(0.05)


def end(children: Sequence[Child], grace: float = 30.0) -> None:
    """Terminate children concurrently, and kill those that still run after the grace period."""
    for child in children:
        if child.running():
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + grace
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def identity(pid: int) -> str | None:
    """Return the start time of a process, which tells it from a later one with the same id; None if it is gone."""
    try:
        if sys.platform == "linux":
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            threads, begun = int(fields[16]), fields[18]
            return None if state in "ZX" and threads < 2 else begun  # its last threads may hold ports a moment longer
        ps = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return ps.stdout.strip() or None
    except (FileNotFoundError, ProcessLookupError):
        return None


def end_stranger(pid: int, begun: str, grace: float = 30.0) -> bool:
    """End a process of another owner, if it still is the one that began then; return True if it was."""
    if identity(pid) != begun:
        return False
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        os.kill(pid, sign)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if identity(pid) != begun:
                return True
            time.sleep(0.05)
    return True


def leave_on_termination(held: ExitStack) -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, by leaving its `with` block, until `held` is closed."""
    if threading.current_thread() is not threading.main_thread():
        return
    for sign in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(sign) is signal.SIG_DFL:
            signal.signal(sign, _leave)
            held.callback(signal.signal, sign, signal.SIG_DFL)


def _leave(sign: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + sign)
