"""C2SP checkpoints: the size and root of a log, signed; and the cosignatures of witnesses (cosignature/v1)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.tlog.notes import COSIGNATURE, NotANote, Note, Signature, Signer, Verifier, decoded, verified

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_STAMP = 8
_LATEST = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True)
class Checkpoint:
    """A log's statement of its contents: `size` events under one root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text: three lines."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Parse a note's text; ignore extension lines after the third. Raises NotANote."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or _SIZE.fullmatch(lines[1]) is None:
            raise NotANote("a checkpoint is an origin, a size and a root, a line each")
        root = decoded(lines[2])
        if root is None or len(root) != 32:
            raise NotANote("the root of a checkpoint is 32 bytes in base64")
        return cls(lines[0], int(lines[1]), root)

    def signed(self, signer: Signer) -> Note:
        """Sign the checkpoint with the log's own key, whose name is its origin."""
        return Note(self.text, (signer.sign(self.text),))


@dataclass(frozen=True)
class Cosigned:
    """A witness's cosignature of a checkpoint, and its time."""

    witness: Verifier
    at: datetime


def opened(raw: bytes, keys: Iterable[Verifier]) -> tuple[Checkpoint, Note, tuple[Verifier, ...]]:
    """Return a checkpoint, its note, and the log's keys that sign it, which may be none. Raises NotANote."""
    note = Note.parse(raw)
    checkpoint = Checkpoint.parse(note.text)
    return checkpoint, note, verified(note, (key for key in keys if key.name == checkpoint.origin))


def cosign(note: Note, signer: Signer, at: datetime) -> Note:
    """Return the checkpoint with a witness's cosignature of this second."""
    if signer.kind != COSIGNATURE:
        raise ValueError("the key is not a witness's")
    stamp = int(at.timestamp())
    signed = stamp.to_bytes(_STAMP, "big") + signer.signature(_message(stamp, note.text))
    return note.signed_with(Signature(signer.name, signer.verifier.key_id, signed))


def cosigned(note: Note, witnesses: Iterable[Verifier]) -> list[Cosigned]:
    """Return the witnesses' cosignatures of a checkpoint. Raises NotANote for one that does not verify."""
    cosignatures: list[Cosigned] = []
    for witness in witnesses:
        for signature in filter(witness.matches, note.signatures):
            if witness.kind != COSIGNATURE:
                continue
            stamp = int.from_bytes(signature.signed[:_STAMP], "big")
            if stamp > _LATEST or not witness.verifies(_message(stamp, note.text), signature.signed[_STAMP:]):
                raise NotANote(f"the cosignature of {witness.name} is not that of its key over this checkpoint")
            cosignatures.append(Cosigned(witness, datetime.fromtimestamp(stamp, UTC)))
    return cosignatures


def _message(stamp: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {stamp}\n{text}".encode()
