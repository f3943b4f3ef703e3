"""What is asked at the same time, carried out in one: a round trip to a server costs more than what it carries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class RequestBatcher(Generic[Asked, Told]):
    """Carries out in rounds what is asked: at once where none is under way, else with all that waits for its end.

    `carry_out` returns an outcome for each that was asked, in order; one that is an exception is raised where it was
    asked. Whoever goes away leaves what he asked under way.
    """

    def __init__(
        self, carry_out: Callable[[Sequence[Asked]], Awaitable[Sequence[Told | Exception]]], most: int = 200
    ) -> None:
        self._carry_out = carry_out
        self._most = most
        self._waiting: list[tuple[Asked, asyncio.Future[Told]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def ask(self, one: Asked) -> Told:
        """Return the outcome of one, from the round that it is carried out in."""
        answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._go_round())
        return await answer

    async def _go_round(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                for (_, answer), outcome in zip(taken, await self._outcomes([one for one, _ in taken]), strict=True):
                    if answer.done():
                        continue
                    if isinstance(outcome, Exception):
                        answer.set_exception(outcome)
                    else:
                        answer.set_result(outcome)
        finally:
            self._rounds = None

    async def _outcomes(self, taken: Sequence[Asked]) -> Sequence[Told | Exception]:
        try:
            return await self._carry_out(taken)
        except Exception as error:  # noqa: BLE001 - it is raised where each was asked
            return [error] * len(taken)
