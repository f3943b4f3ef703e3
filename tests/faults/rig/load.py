"""The load: several clients that send commands to all four services."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faults.rig.acknowledged import Acknowledged
from tests.faults.rig.client import Abandoned, Gate
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import Platform
from tests.faults.rig.work import convening, nominating, recommending, subscribing
from tests.faults.rig.work.desks import Desks
from tests.faults.rig.work.world import World

Story = Callable[[Desks, World], None]
WORKERS: tuple[tuple[Story, float], ...] = (
    (nominating.story, 0.3),
    (convening.story, 0.3),
    (recommending.story, 0.1),
    (recommending.story, 0.1),
    (recommending.story, 0.1),
    (recommending.a_priority, 3.0),
    (subscribing.story, 4.0),
)


class Load:
    """Client threads, each of which runs its story again and again, with a pause between."""

    def __init__(self, platform: Platform, acknowledged: Acknowledged, seed: int, run: str, pace: float) -> None:
        self.gate = Gate()
        self.world = World(run)
        self.errors: list[str] = []
        self._acknowledged = acknowledged
        self._over = threading.Event()
        self._desks = [
            Desks(platform, acknowledged, self.gate, random.Random(f"{seed}/{number}"), pace)
            for number in range(len(WORKERS))
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the clients during a block; then wait until their last commands are answered."""
        recommending.prepare(self._desks[0], self.world)
        subscribing.prepare(self._desks[0], self.world)
        threads = [
            threading.Thread(target=self._work, args=(desks, story, pause), name=f"client {number}", daemon=True)
            for number, (desks, (story, pause)) in enumerate(zip(self._desks, WORKERS, strict=True))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            self.gate.open()
            for thread in threads:
                thread.join(AT_MOST + 20)
                if thread.is_alive():
                    self.errors.append(f"{thread.name} does not end")

    def _work(self, desks: Desks, story: Story, pause: float) -> None:
        while not self._over.is_set():
            try:
                story(desks, self.world)
            except Abandoned:
                pass
            except Exception as error:  # noqa: BLE001
                self.errors.append(f"{story.__module__}: {type(error).__name__}: {error}")
            self._over.wait(desks.chance.uniform(0, 2 * pause))

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold all commands back during a block."""
        self.gate.shut()
        try:
            yield
        finally:
            self.gate.open()

    def await_progress(self, commands: int = 10, seconds: float = AT_MOST) -> float | None:
        """Wait until so many more commands are acknowledged; return the seconds, or None at the time limit."""
        before, began = len(self._acknowledged.commands), time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            if len(self._acknowledged.commands) >= before + commands:
                return passed
            time.sleep(0.05)
        return None
