"""Trust in the keys of logs: pinned keys, the rotations that follow from them, and keys called compromised.

A rotation is a signed note: `throughline-key-rotation/v1`, the log's origin, the size of the log from which the new key
signs, the old key and the new one, a line each; both of them sign it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from cachetools import LRUCache

from shared.tlog.batches import NotAProof, SignedRoot, signed_root
from shared.tlog.notes import NotAKey, NotANote, Note, Signer, Verifier, verified

_ROTATION = "throughline-key-rotation/v1"
_ROTATION_LIMIT = 4_000
_BATCHES_REMEMBERED = 2_000
_KEY_ID = re.compile("[0-9a-f]{8}")


def key_ids(text: str) -> list[str]:
    """Return ids of keys, 8 hex digits each, with blanks between. Raises NotAKey."""
    ids = text.lower().split()
    if wrong := next((each for each in ids if _KEY_ID.fullmatch(each) is None), None):
        raise NotAKey(f"{wrong[:100]!r} is no key id of 8 hex digits")
    return ids


class UnknownKey(NotAProof):
    """No trusted key of the log has the id in the proof; a rotation may name it."""

    def __init__(self, service: str, key_id: bytes) -> None:
        super().__init__(f"no trusted key of {service} has the id {key_id.hex()}")
        self.key_id = key_id


@dataclass(frozen=True)
class Rotation:
    """A log's change of keys: the new one signs from `size` on, and the old one counts only for positions below it."""

    size: int
    old: Verifier
    new: Verifier

    @property
    def text(self) -> str:
        """The note's text: five lines."""
        return f"{_ROTATION}\n{self.new.name}\n{self.size}\n{self.old.vkey}\n{self.new.vkey}\n"

    def signed(self, old: Signer, new: Signer) -> bytes:
        """Return the note, signed by both keys."""
        return Note(self.text, (old.sign(self.text), new.sign(self.text))).raw()

    @classmethod
    def parse(cls, raw: bytes) -> Rotation:
        """Return the rotation in a note with two signatures, unverified. Raises NotANote."""
        return cls._of(_note(raw))

    @classmethod
    def opened(cls, raw: bytes) -> Rotation:
        """Return the rotation in a note, signed by both keys. Raises NotANote."""
        note = _note(raw)
        rotation = cls._of(note)
        keys = (rotation.old, rotation.new)
        if verified(note, keys) != keys:
            raise NotANote("a rotation is signed by the old key and by the new one")
        return rotation

    @classmethod
    def _of(cls, note: Note) -> Rotation:
        lines = note.text.split("\n")
        try:
            rotation = cls(int(lines[2]), Verifier.parse(lines[3]), Verifier.parse(lines[4]))
        except (IndexError, NotAKey, ValueError):
            raise NotANote("it is no rotation of a log's key") from None
        if rotation.text != note.text or rotation.size < 0 or rotation.old.name != rotation.new.name:
            raise NotANote("it is no rotation of a log's key")
        return rotation


@dataclass(frozen=True)
class TrustedKey:
    """A key, and the size of the log from which it no longer counts, if it was replaced."""

    verifier: Verifier
    until: int | None = None

    def counts_for(self, size: int) -> bool:
        """Tell whether the key may sign the first `size` entries of its log, or a batch that ends there."""
        return self.until is None or size <= self.until


@dataclass
class LogTrust:
    """The keys by which the entries of logs are believed.

    `distrusted` are the ids of keys called compromised, in hex: such a key counts for nothing, wherever it is pinned.
    """

    pinned: Iterable[Verifier]
    distrusted: Collection[str] = ()
    _keys: dict[str, dict[bytes, TrustedKey]] = field(init=False, default_factory=dict)
    _believed: LRUCache[tuple[str, SignedRoot], bool] = field(
        init=False, default_factory=lambda: LRUCache(_BATCHES_REMEMBERED)
    )

    def __post_init__(self) -> None:
        for verifier in self.pinned:
            self._trust(verifier)

    def _trust(self, verifier: Verifier, until: int | None = None) -> None:
        if verifier.key_id.hex() not in self.distrusted:
            keys = self._keys.setdefault(service_of(verifier.name), {})
            keys.setdefault(verifier.key_id, TrustedKey(verifier, until))

    def keys(self, service: str) -> tuple[TrustedKey, ...]:
        """Return the trusted keys of a service's log."""
        return tuple(self._keys.get(service, {}).values())

    def verifiers(self, service: str, size: int = 0) -> tuple[Verifier, ...]:
        """Return the keys that may sign the first `size` entries of a service's log."""
        return tuple(key.verifier for key in self.keys(service) if key.counts_for(size))

    def trusts(self, verifier: Verifier) -> bool:
        """Tell whether this key is trusted, if only below the size from which it was replaced."""
        return self._key(verifier) is not None

    def is_current(self, verifier: Verifier) -> bool:
        """Tell whether this key is trusted, and no rotation replaced it."""
        key = self._key(verifier)
        return key is not None and key.until is None

    def is_replaced(self, verifier: Verifier) -> bool:
        """Tell whether a rotation replaced this key."""
        key = self._key(verifier)
        return key is not None and key.until is not None

    def _key(self, verifier: Verifier) -> TrustedKey | None:
        key = self._keys.get(service_of(verifier.name), {}).get(verifier.key_id)
        return key if key is not None and key.verifier == verifier else None

    def follow(self, rotation: Rotation) -> bool:
        """Follow a rotation between two keys, if one of them is trusted; tell whether it is.

        The first rotation of a key counts. A trusted new key vouches for the old one, below the size of the rotation,
        and never beyond the size from which it was replaced itself.
        """
        old, new = self._key(rotation.old), self._key(rotation.new)
        if old is not None and old.until is None:
            self._keys[service_of(rotation.old.name)][rotation.old.key_id] = replace(old, until=rotation.size)
            self._trust(rotation.new)
            self._believed.clear()
        elif old is None and new is not None and new.counts_for(rotation.size):
            self._trust(rotation.old, until=rotation.size)
        return old is not None or new is not None

    def check(self, service: str, position: int, leaf: bytes, proof: bytes) -> None:
        """Check that a trusted key of a service's log signed an entry at a position. Raises NotAProof, UnknownKey."""
        batch = signed_root(proof, position, leaf)
        if (service, batch) not in self._believed:
            self._check_signature(service, batch)
            self._believed[service, batch] = True

    def _check_signature(self, service: str, batch: SignedRoot) -> None:
        key = self._keys.get(service, {}).get(batch.key_id)
        if key is None:
            raise UnknownKey(service, batch.key_id)
        if not key.counts_for(batch.end):
            raise NotAProof(f"its key was replaced from position {key.until} on")
        if not key.verifier.verifies(batch.message(key.verifier.name), batch.signature):
            raise NotAProof("its signature is not that of its key over this batch")


def _note(raw: bytes) -> Note:
    if len(raw) > _ROTATION_LIMIT or len((note := Note.parse(raw)).signatures) != 2:
        raise NotANote("it is no rotation of a log's key")
    return note


def service_of(origin: str) -> str:
    """Return the service whose log has an origin."""
    return origin.rpartition("/")[2]
