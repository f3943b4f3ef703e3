"""The order in which rows are sent: several concurrently, a row after those of its stream and those that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import Any, TypeVar

from tools.record.checking import CheckedRow

R = TypeVar("R")


def predecessors(rows: Sequence[CheckedRow]) -> list[set[int]]:
    """Return, for each row, the rows before it that it must wait for.

    These are the last row of its own stream and of every stream whose id one of its fields holds.
    """
    last: dict[str, int] = {}
    streams: dict[str, set[str]] = {}
    before: list[set[int]] = []
    for number, row in enumerate(rows):
        named = {stream for value in _values(row.event.model_dump(mode="json")) for stream in streams.get(value, ())}
        before.append({last[stream] for stream in named | {row.row.stream} if stream in last})
        last[row.row.stream] = number
        streams.setdefault(row.row.stream.partition("/")[2], set()).add(row.row.stream)
    return before


def run_in_order(before: Sequence[set[int]], workers: int, run: Callable[[int], R]) -> Iterator[tuple[int, R]]:
    """Run every number once all before it have run, several concurrently; yield each with its result, as it ends.

    After a failure nothing more begins; what had begun ends, and is yielded before the failure is raised.
    """
    order = TopologicalSorter(dict(enumerate(before)))
    order.prepare()
    ready: list[int] = []
    running: dict[Future[R], int] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(workers) as pool:
        while running or (order.is_active() and failure is None):
            for number in order.get_ready():
                heappush(ready, number)
            while ready and len(running) < workers and failure is None:
                number = heappop(ready)
                running[pool.submit(run, number)] = number
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(ended, key=running.__getitem__):
                number = running.pop(future)
                if (error := future.exception()) is not None:
                    failure = failure or error
                else:
                    order.done(number)
                    yield number, future.result()
    if failure is not None:
        raise failure


def _values(data: Any) -> Iterator[str]:
    """Yield every value in an event's data as text."""
    match data:
        case dict():
            for member in data.values():
                yield from _values(member)
        case list():
            for item in data:
                yield from _values(item)
        case str() | int():
            yield str(data)
        case _:
            return
