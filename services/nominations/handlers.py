"""Seal what is personal; then read, fold, decide, append."""

from __future__ import annotations

from services.nominations.commands import (
    EraseExpert,
    NominationRequest,
    ResubmitNomination,
    ResubmitNominationRequest,
    SubmitNomination,
    SubmitNominationRequest,
)
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.nominations import NominationSubmitted
from shared.events.values import Sealed
from shared.privacy.erasure import erase
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler, handle, refuse
from shared.store.event_store import Commit


class Handlers:
    """Carries out this service's commands on its own store; it holds the keys of the experts."""

    def __init__(self, ledgers: CommandHandler, keys: KeyRing) -> None:
        self._ledgers = ledgers
        self._keys = keys

    async def __call__(
        self, stream: str, command: Command, context: Context, if_match: int | None = None
    ) -> Commit | Rejection:
        """Carry out a command on one stream; a person's details go no further than here."""
        if isinstance(command, EraseExpert):
            return await erase(self._ledgers, self._keys, stream, command, context, if_match)
        if isinstance(command, NominationRequest):
            written = await self._sealed(stream, command, context)
            if isinstance(written, Rejection):
                return await refuse(self._ledgers, command, context, written)
            command = written
        return await handle(self._ledgers, stream, command, context, if_match)

    async def forget(self, person: str) -> None:
        """Destroy an expert's key. A second time, nothing."""
        await self._keys.destroy(person)

    async def _sealed(self, stream: str, request: NominationRequest, context: Context) -> Command | Rejection:
        known = await self._ledgers.known(stream)
        particulars = known.state.particulars if known else None
        person = request.person or (particulars.person if particulars else context.new_id("person"))
        sealed = await self._sealed_for(person, _member(request, particulars, context), request, context)
        if isinstance(sealed, Rejection):
            return sealed
        written = request.model_dump(exclude={"person", "details", "nomination"}, exclude_unset=True)
        match request:
            case SubmitNominationRequest():
                nomination = stream.partition("/")[2]
                return SubmitNomination(**written, nomination=nomination, person=person, sealed=sealed)
            case ResubmitNominationRequest():
                return ResubmitNomination(**written, sealed=sealed)
            case _:
                raise TypeError(type(request).__name__)

    async def _sealed_for(
        self, person: str, member: str | None, request: NominationRequest, context: Context
    ) -> Sealed | Rejection:
        """Seal under a person's key; a focal point names only whom its own Government named first."""
        details = request.details.model_dump(exclude_none=True)
        names = context.role == "focal_point" and request.person is not None
        return await self._keys.encrypt(person, details, member, owned=names)


def _member(request: NominationRequest, particulars: NominationSubmitted | None, context: Context) -> str | None:
    """Return the member whose Government names the person: a focal point's own, whatever the request says."""
    if context.role == "focal_point":
        return context.member
    if isinstance(request, SubmitNominationRequest):
        return request.member
    return particulars.member if particulars else None
