"""Seal what is personal; then read, fold, decide, append."""

from __future__ import annotations

from services.nominations.commands import (
    NominationRequest,
    ResubmitNomination,
    ResubmitNominationRequest,
    SubmitNomination,
    SubmitNominationRequest,
)
from shared.aggregates import Command, Context
from shared.event_store import Commit
from shared.handling import Ledgers, handle
from shared.rejections import Rejection
from shared.sealing import KeyRing


class Handlers:
    """Carries out this service's commands on its own store; it holds the keys of the experts."""

    def __init__(self, ledgers: Ledgers, keys: KeyRing) -> None:
        self._ledgers = ledgers
        self._keys = keys

    async def __call__(
        self, stream: str, command: Command, context: Context, if_match: int | None = None
    ) -> Commit | Rejection:
        """Carry out a command on one stream; a person's details go no further than here."""
        if isinstance(command, NominationRequest):
            command = await self._sealed(stream, command, context)
        return await handle(self._ledgers, stream, command, context, if_match)

    async def _sealed(self, stream: str, request: NominationRequest, context: Context) -> Command:
        person = request.person or await self._person(stream) or context.new_id("person")
        sealed = await self._keys.seal(person, request.details.model_dump(exclude_none=True))
        written = request.model_dump(exclude={"person", "details", "nomination"}, exclude_unset=True)
        match request:
            case SubmitNominationRequest():
                nomination = stream.partition("/")[2]
                return SubmitNomination(**written, nomination=nomination, person=person, sealed=sealed)
            case ResubmitNominationRequest():
                return ResubmitNomination(**written, sealed=sealed)
            case _:
                raise TypeError(type(request).__name__)

    async def _person(self, stream: str) -> str | None:
        """Return the person whom a nomination on record names, or None."""
        known = await self._ledgers.known(stream)
        return known.state.particulars.person if known else None
