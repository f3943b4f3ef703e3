"""A witness: another office's key and its earlier cosignatures. It never vouches for two histories of one log."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from shared.tlog.checkpoints import Checkpoint, cosign, opened
from shared.tlog.merkle import ProofFails, check_consistency
from shared.tlog.notes import NotANote, Signer, Verifier
from shared.tlog.proofs import TiledTree
from tools.audit.bundle import CHECKPOINT, CHECKPOINTS, Bundle, Log, NotReadable
from tools.audit.log_writer import write


class WillNotVouch(Exception):
    """The checkpoint lacks a known signature, or does not continue the history that this witness saw."""


@dataclass(frozen=True)
class VouchedLog:
    """A cosigned log: its checkpoint, and the size cosigned before, if any."""

    checkpoint: Checkpoint
    before: int | None


@dataclass(frozen=True)
class Witness:
    """A witness: its key, and the file that holds size, root and keys of each log by origin.

    For a log that it has not seen before it uses the given keys, else those that the bundle names.
    """

    signer: Signer
    memory: Path
    keys: Sequence[Verifier] = ()

    def vouch(self, bundle: Bundle, at: datetime) -> list[VouchedLog]:
        """Cosign the newest checkpoint of every log, or of none. Raises WillNotVouch, NotReadable."""
        seen = self._seen()
        vouched, cosigned = [], []
        for log in bundle.logs.values():
            checkpoint, raw, keys = self._opened(log, seen)
            before = seen.get(checkpoint.origin)
            self._consistent(log, checkpoint, before)
            _, note, _ = opened(raw, keys)
            cosigned.append((log, checkpoint.size, cosign(note, self.signer, at).raw()))
            vouched.append(VouchedLog(checkpoint, before["size"] if before else None))
            seen[checkpoint.origin] = {
                "size": checkpoint.size,
                "root": b64encode(checkpoint.root).decode(),
                "keys": [key.vkey for key in keys],
            }
        write(self.memory, orjson.dumps(seen, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        for log, size, raw in cosigned:
            write(log.folder / CHECKPOINTS / str(size), raw)
            write(log.folder / CHECKPOINT, raw)
        return vouched

    def _seen(self) -> dict[str, Any]:
        if not self.memory.exists():
            return {}
        try:
            return dict(orjson.loads(self.memory.read_bytes()))
        except (orjson.JSONDecodeError, TypeError, ValueError):
            raise NotReadable(f"{self.memory} is not the memory file of a witness") from None

    def _opened(self, log: Log, seen: dict[str, Any]) -> tuple[Checkpoint, bytes, list[Verifier]]:
        raw = log.file(CHECKPOINT)
        origin = log.checkpoint().origin
        known = [Verifier.parse(key) for key in seen[origin]["keys"]] if origin in seen else []
        keys = list(dict.fromkeys((*(key for key in self.keys if key.name == origin), *known))) or log.keys()
        try:
            checkpoint, _, by = opened(raw, keys)
        except NotANote as fault:
            raise WillNotVouch(f"{log.service}: {fault}") from None
        if not by:
            raise WillNotVouch(
                f"{log.service}: the checkpoint at size {checkpoint.size} is signed with a key that this witness does "
                "not know; if the key was changed, give the new one with --key"
            )
        return checkpoint, raw, keys

    def _consistent(self, log: Log, new: Checkpoint, before: dict[str, Any] | None) -> None:
        """Check that the log continues the history seen before, and that its tiles make the root it claims."""
        tree = TiledTree(new.size, log.tile)
        size, root = (before["size"], b64decode(before["root"])) if before else (0, b"")
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
