"""Command handlers: encrypt personal data; then read, fold, decide, append."""

from __future__ import annotations

from collections.abc import Container
from functools import partial

from services.nominations.commands import (
    AmendNomination,
    AmendNominationRequest,
    ChangeExpertDetails,
    ChangeExpertDetailsRequest,
    EraseExpert,
    NominationRequest,
    ResubmitNomination,
    ResubmitNominationRequest,
    SubmitNomination,
    SubmitNominationRequest,
)
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.domain.voids import Void
from shared.events.nominations import NominationSubmitted
from shared.events.values import Sealed
from shared.privacy.encrypted_commands import PersonNamed, handle_encrypted
from shared.privacy.erasure import erase
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit


class Handlers:
    """The command side of this service; it holds the keys of the experts."""

    def __init__(self, commands: CommandHandler, keys: KeyRing) -> None:
        self._commands = commands
        self._keys = keys

    async def handle(
        self, stream: str, command: Command, context: Context, expected: Container[int] | None = None
    ) -> Commit | Rejection:
        """Carry a command out; a person's details go no further than here."""
        if isinstance(command, EraseExpert):
            return await erase(self._commands, self._keys, stream, command, context, expected)
        if isinstance(command, NominationRequest):
            return await self._nominate(stream, command, context, expected)
        if isinstance(command, ChangeExpertDetailsRequest):
            return await self._change(stream, command, context, expected)
        return await self._commands.handle(stream, command, context, expected)

    async def forget(self, person: str) -> None:
        """Destroy an expert's key. A second call does nothing."""
        await self._keys.destroy(person)

    async def _nominate(
        self, stream: str, request: NominationRequest, context: Context, expected: Container[int] | None
    ) -> Commit | Rejection:
        """Encrypt under a person's key; a focal point names only persons whom its own Government named first."""
        known = await self._commands.known(stream)
        particulars = known.state.particulars if known and not isinstance(known.state, Void) else None
        named = PersonNamed(
            request.person or (particulars.person if particulars else context.new_id("person")),
            request.details.model_dump(exclude_none=True),
            _member(request, particulars, context),
            owned=context.role == "focal_point" and request.person is not None,
        )
        build = partial(_command, stream, request)
        return await handle_encrypted(self._commands, self._keys, stream, named, build, context, expected)

    async def _change(
        self, stream: str, request: ChangeExpertDetailsRequest, context: Context, expected: Container[int] | None
    ) -> Commit | Rejection:
        """Encrypt a member's new details under the key of the person that the membership is of."""
        build = partial(_command, stream, request)
        if request.details is None:
            return await self._commands.handle(stream, build(None), context, expected)
        known = await self._commands.known(stream)
        began = known.state.began if known and not isinstance(known.state, Void) else None
        named = PersonNamed(
            began.person if began else context.new_id("person"),
            request.details.model_dump(exclude_none=True),
            began.member if began else None,
        )
        return await handle_encrypted(self._commands, self._keys, stream, named, build, context, expected)


def _command(stream: str, request: Command, sealed: Sealed | None) -> Command:
    """Return the command that a request makes: with encrypted details, in the place of those in plain text."""
    fields = request.model_dump(exclude={"person", "details", "nomination"}, exclude_unset=True)
    if sealed is None:
        return ChangeExpertDetails(**fields)
    match request:
        case SubmitNominationRequest():
            nomination = stream.partition("/")[2]
            return SubmitNomination(**fields, nomination=nomination, person=sealed.person, sealed=sealed)
        case ResubmitNominationRequest():
            return ResubmitNomination(**fields, sealed=sealed)
        case AmendNominationRequest():
            return AmendNomination(**fields, sealed=sealed)
        case ChangeExpertDetailsRequest():
            return ChangeExpertDetails(**fields, sealed=sealed)
        case _:
            raise TypeError(type(request).__name__)


def _member(request: NominationRequest, particulars: NominationSubmitted | None, context: Context) -> str | None:
    """Return the member whose Government names the person: a focal point's own, whatever the request says."""
    if context.role == "focal_point":
        return context.member
    if isinstance(request, SubmitNominationRequest):
        return request.member
    return particulars.member if particulars else None
