"""A witness: another office's key and its earlier cosignatures. It never vouches for two histories of one log."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.tlog.breaks import LogBreak
from shared.tlog.checkpoints import Checkpoint, cosign, opened
from shared.tlog.merkle import ProofFails, check_consistency
from shared.tlog.notes import NotANote, Note, Signer, Verifier, decoded
from shared.tlog.proofs import TiledTree
from tools.audit.breaks import check_breaks
from tools.audit.bundle import CHECKPOINT, CHECKPOINTS, SMALL_LIMIT, Bundle, Log, NotReadable
from tools.audit.findings import Findings
from tools.files import NotAFile, read_named, write_below


def _is_root(text: str) -> str:
    if len(decoded(text) or b"") != 32:
        raise ValueError("is not 32 bytes in base64")
    return text


def _is_key(text: str) -> str:
    Verifier.parse(text)
    return text


class Seen(BaseModel):
    """The memory of one log: size and root of the checkpoint cosigned last, and the keys that signed it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    size: Annotated[int, Field(ge=0, lt=10**16)]
    root: Annotated[str, AfterValidator(_is_root)]
    keys: Annotated[list[Annotated[str, AfterValidator(_is_key)]], Field(min_length=1)]
    continued_by: Annotated[str | None, Field(max_length=400)] = None
    """The origin of the log that continues this one after a declared break: this one may not go on."""


_MEMORY = TypeAdapter(dict[str, Seen])


class WillNotVouch(Exception):
    """The checkpoint lacks a known signature, or does not continue the history that this witness saw."""


@dataclass(frozen=True)
class VouchedLog:
    """A cosigned log: its checkpoint, and the size cosigned before, if any."""

    checkpoint: Checkpoint
    before: int | None
    continues: str | None = None
    """The origin of the log that it continues after a declared break, where this witness had seen that one."""


@dataclass(frozen=True)
class Witness:
    """A witness: its key, and the file that holds size, root and keys of each log by origin.

    For a log that it has not seen before it uses the given keys; where none are given, those that the bundle names. It
    remembers the keys that signed what it cosigned.
    """

    signer: Signer
    memory: Path
    keys: Sequence[Verifier] = ()
    accepted_breaks: Collection[str] = ()

    def vouch(self, bundle: Bundle, at: datetime) -> list[VouchedLog]:
        """Cosign the newest checkpoint of every log, or of none. Raises WillNotVouch, NotReadable."""
        seen = self._seen()
        vouched, cosigned = [], []
        for log in bundle.logs.values():
            checkpoint, note, by = self._opened(log, seen)
            before = seen.get(checkpoint.origin)
            old_origin = None if before else self._continued(log, checkpoint, seen)
            before = before or seen.get(old_origin or "")
            self._consistent(log, checkpoint, before)
            cosigned.append((log, checkpoint.size, cosign(note, self.signer, at).raw()))
            vouched.append(VouchedLog(checkpoint, before.size if before else None, old_origin))
            if old_origin is not None:
                seen[old_origin] = seen[old_origin].model_copy(update={"continued_by": checkpoint.origin})
            root = b64encode(checkpoint.root).decode()
            seen[checkpoint.origin] = Seen(size=checkpoint.size, root=root, keys=[key.vkey for key in by])
        self._remember(seen)
        for log, size, raw in cosigned:
            log.write(f"{CHECKPOINTS}/{size}", raw)
            log.write(CHECKPOINT, raw)
        return vouched

    def _seen(self) -> dict[str, Seen]:
        if not os.path.lexists(self.memory):
            return {}
        try:
            return _MEMORY.validate_json(read_named(self.memory, SMALL_LIMIT))
        except NotAFile as fault:
            raise NotReadable(str(fault)) from None
        except ValidationError:
            raise NotReadable(
                f"{self.memory} is not the memory file of a witness: by origin of a log it has size, root and keys"
            ) from None

    def _remember(self, seen: dict[str, Seen]) -> None:
        raw = _MEMORY.dump_json(seen, indent=2, exclude_none=True) + b"\n"
        try:
            write_below(self.memory.parent, self.memory.name, raw)
        except NotAFile as fault:
            raise NotReadable(str(fault)) from None

    def _opened(self, log: Log, seen: dict[str, Seen]) -> tuple[Checkpoint, Note, tuple[Verifier, ...]]:
        origin = log.checkpoint().origin
        if origin in seen and (successor := seen[origin].continued_by):
            raise WillNotVouch(f"{log.service}: {origin} was declared lost, and {successor} continues it")
        known = [Verifier.parse(key) for key in seen[origin].keys] if origin in seen else []
        keys = list(dict.fromkeys((*(key for key in self.keys if key.name == origin), *known)))
        if not keys and self.keys:
            raise WillNotVouch(f"{log.service}: no key of {origin} is known; give --key once for each log")
        try:
            checkpoint, note, by = opened(log.file(CHECKPOINT), keys or log.keys())
        except NotANote as fault:
            raise WillNotVouch(f"{log.service}: {fault}") from None
        if not by:
            raise WillNotVouch(
                f"{log.service}: the checkpoint at size {checkpoint.size} is signed with a key that this witness does "
                "not know; if the key was changed, give the new one with --key"
            )
        return checkpoint, note, by

    def _continued(self, log: Log, new: Checkpoint, seen: Mapping[str, Seen]) -> str | None:
        """Return the origin of the log, seen before, that a log continues after a declared break; None if it does not.

        The old log's key must have signed that, and the break must not call lost what this witness saw.
        """
        findings = Findings()
        old_keys = [*self.keys, *(Verifier.parse(key) for each in seen.values() for key in each.keys)]
        keys = [key for key in self.keys if key.name == new.origin] or log.keys()
        breaks = check_breaks(log, new.origin, keys, old_keys, self.accepted_breaks, findings, pinned=bool(self.keys))
        if findings.count:
            raise WillNotVouch(findings.listed[0].sentence())
        for each in reversed(breaks.checked):
            if (before := seen.get(origin := each.log_break.old_origin)) is not None:
                self._ensure_ends(log, each.log_break, before)
                return origin
        return None

    def _ensure_ends(self, log: Log, log_break: LogBreak, before: Seen) -> None:
        origin = log_break.old_origin
        if before.continued_by is not None:
            raise WillNotVouch(
                f"{log.service}: {before.continued_by} continues {origin} already, and {log_break.new.name} claims to"
            )
        if before.size > log_break.size:
            raise WillNotVouch(
                f"{log.service}: its declared break says that {origin} is lost from position {log_break.size} on, and "
                f"this witness has seen {before.size} events of it"
            )

    def _consistent(self, log: Log, new: Checkpoint, before: Seen | None) -> None:
        """Check that the log continues the history seen before, and that its tiles make the root it claims."""
        tree = TiledTree(new.size, log.tile)
        size, root = (before.size, b64decode(before.root)) if before else (0, b"")
        if size > new.size:
            raise WillNotVouch(f"{log.service}: it holds {new.size} events, and this witness has seen {size}")
        try:
            if tree.root() != new.root:
                raise ProofFails(f"its tiles do not make the root of its checkpoint at size {new.size}")
            if size:
                check_consistency(size, root, new.size, new.root, tree.consistency(size))
        except ValueError as fault:
            raise WillNotVouch(
                f"{log.service}: it does not continue the {size} events that this witness has seen: {fault}"
            ) from None
