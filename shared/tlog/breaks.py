"""A declared break: a log that was lost beyond a size goes on under another origin and another key, and says so.

It is a signed note: `throughline-log-break/v1`, the new log's origin, its key, the old log's origin, the size and root
of what was restored of it, the time, and a line for each thing that is lost. The new key signs it, and the old log's
key where it survives: without that signature anybody may have made it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.tlog.notes import NotAKey, NotANote, Note, Signer, Verifier, decoded, verified

_FIRST_LINE = "throughline-log-break/v1"
_LOST = "lost: "
_LIMIT = 20_000
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class LogBreak:
    """A log's break: its first `size` entries are those of the old log, and make the root that the old log had there.

    What the old log held beyond them is lost.
    """

    new: Verifier
    old_origin: str
    size: int
    root: bytes
    at: datetime
    lost: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note's text."""
        new = f"{self.new.name}\n{self.new.vkey}\n"
        old = f"{self.old_origin}\n{self.size}\n{b64encode(self.root).decode()}\n{self.at.strftime(_TIME)}\n"
        lost = "".join(f"{_LOST}{each}\n" for each in self.lost)
        return f"{_FIRST_LINE}\n{new}{old}{lost}"

    def signed(self, new: Signer, old: Signer | None) -> bytes:
        """Return the note, signed by the new log's key, and by the old log's where it survives."""
        return Note(self.text, tuple(each.sign(self.text) for each in (new, old) if each is not None)).raw()

    @classmethod
    def opened(cls, raw: bytes) -> LogBreak:
        """Return the break in a note that the new log's key signed; see `old_signers`. Raises NotANote."""
        note = _note(raw)
        lines = note.text.split("\n")[:-1]
        try:
            at = datetime.strptime(f"{lines[6]}+0000", f"{_TIME}%z")
            root, lost = decoded(lines[5]) or b"", tuple(line.removeprefix(_LOST) for line in lines[7:])
            log_break = cls(Verifier.parse(lines[2]), lines[3], int(lines[4]), root, at, lost)
        except (IndexError, NotAKey, ValueError):
            raise NotANote("it is no declared break of a log") from None
        if log_break.text != note.text or log_break.size < 0 or len(root) != 32:
            raise NotANote("it is no declared break of a log")
        if log_break.old_origin == log_break.new.name:
            raise NotANote("a log does not continue itself after a break")
        if not verified(note, [log_break.new]):
            raise NotANote(f"the key of the new log, {log_break.new.name}, does not sign it")
        return log_break


def is_break(raw: bytes) -> bool:
    """Tell whether a published note says that it declares a break."""
    return raw.startswith(_FIRST_LINE.encode() + b"\n")


def old_signers(raw: bytes, keys: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """Return the keys of the old log, of those given, that sign a declared break. Raises NotANote."""
    old_origin = LogBreak.opened(raw).old_origin
    return verified(_note(raw), [key for key in keys if key.name == old_origin])


def names_old_key(raw: bytes) -> str | None:
    """Return the id of the key of the old log that a break claims as its signer; None where it claims none."""
    old_origin = LogBreak.opened(raw).old_origin
    return next((each.key_id.hex() for each in _note(raw).signatures if each.name == old_origin), None)


def _note(raw: bytes) -> Note:
    if len(raw) > _LIMIT or not is_break(raw):
        raise NotANote("it is no declared break of a log")
    return Note.parse(raw)
