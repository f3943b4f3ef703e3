"""C2SP signed notes: a text and its Ed25519 signatures. Keys are encoded as in Go's sumdb/note."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519, COSIGNATURE = 1, 4
PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,300}")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOTE_LIMIT = 1_000_000
_SIGNATURES = 100
_KEYS_CACHED = 64


class NotAKey(ValueError):
    """The text is no key, or one of another kind. The message never repeats it, for it may be private."""


class NotANote(ValueError):
    """The bytes are no signed note."""


@dataclass(frozen=True)
class Signature:
    """A signature line of a note: the key's name and id, and the signature's bytes."""

    name: str
    key_id: bytes
    signed: bytes

    @property
    def line(self) -> str:
        """The line, with its line feed."""
        return f"— {self.name} {b64encode(self.key_id + self.signed).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A text that ends in a line feed, and its signatures, unverified."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Note:
        """Parse a signed note. Raises NotANote."""
        try:
            decoded_note = raw.decode()
        except UnicodeDecodeError:
            raise NotANote("it is not UTF-8") from None
        if len(raw) > _NOTE_LIMIT or _CONTROL.search(decoded_note):
            raise NotANote("it is too long, or holds a control character")
        text, blank, lines = decoded_note.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise NotANote("no signature stands below a blank line")
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > _SIGNATURES:
            raise NotANote("it has too many signatures")
        return cls(text + "\n", signatures)

    def signed_with(self, *signatures: Signature) -> Note:
        """Return the note with more signatures, which replace those of the same keys."""
        new = {(each.name, each.key_id) for each in signatures}
        others = [each for each in self.signatures if (each.name, each.key_id) not in new]
        return Note(self.text, (*others, *signatures))

    def raw(self) -> bytes:
        """Return the encoded note."""
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()


@dataclass(frozen=True)
class Verifier:
    """A public key with its name: `<name>+<key id>+<base64 of kind and key>`."""

    name: str
    public: bytes
    kind: int = ED25519

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that identify the key in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The encoded key."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Parse an encoded key. Raises NotAKey."""
        name, key_id, encoded = _parts(vkey.strip())
        verifier = cls(name, encoded[1:], encoded[0])
        if verifier.kind not in (ED25519, COSIGNATURE) or len(verifier.public) != 32:
            raise NotAKey("it is not an Ed25519 key")
        if verifier.key_id.hex() != key_id:
            raise NotAKey("its id is not that of its name and key")
        return verifier

    def matches(self, signature: Signature) -> bool:
        """Tell whether a signature names this key."""
        return signature.name == self.name and signature.key_id == self.key_id

    def verifies(self, message: bytes, signed: bytes) -> bool:
        """Tell whether the 64 bytes are this key's signature of the message."""
        try:
            _public_key(self.public).verify(signed, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, repr=False)
class Signer:
    """A private key with its name: `PRIVATE+KEY+<name>+<key id>+<base64 of kind and seed>`. Its repr never shows it."""

    name: str
    seed: bytes
    kind: int = ED25519

    @classmethod
    def generate(cls, name: str, kind: int = ED25519) -> Signer:
        """Generate a key. Raises NotAKey for an invalid name."""
        if _NAME.fullmatch(name) is None:
            raise NotAKey("the name of a key has no blank and no plus sign in it")
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw(), kind)

    @classmethod
    def parse(cls, skey: str) -> Signer:
        """Parse an encoded private key. Raises NotAKey."""
        encoded_key = skey.strip()
        if not encoded_key.startswith(PRIVATE):
            raise NotAKey("it is not a private key")
        name, key_id, encoded = _parts(encoded_key.removeprefix(PRIVATE))
        signer = cls(name, encoded[1:], encoded[0])
        if signer.kind not in (ED25519, COSIGNATURE) or len(signer.seed) != 32:
            raise NotAKey("it is not an Ed25519 key")
        if signer.verifier.key_id.hex() != key_id:
            raise NotAKey("its id is not that of its name and key")
        return signer

    @property
    def skey(self) -> str:
        """The encoded private key: for its key file, and nothing else."""
        encoded = b64encode(bytes([self.kind]) + self.seed).decode()
        return f"{PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    @property
    def verifier(self) -> Verifier:
        """The public key."""
        return Verifier(self.name, _private_key(self.seed).public_key().public_bytes_raw(), self.kind)

    def signature(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature of the message."""
        return _private_key(self.seed).sign(message)

    def sign(self, text: str) -> Signature:
        """Sign a note's text."""
        return Signature(self.name, self.verifier.key_id, self.signature(text.encode()))


@lru_cache(maxsize=_KEYS_CACHED)
def _public_key(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=_KEYS_CACHED)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def verified(note: Note, keys: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """Return the keys that sign a note; ignore signatures of other keys, and all but the first of one key.

    Raises NotANote for a signature of one of the keys that does not verify.
    """
    first = {(each.name, each.key_id): each for each in reversed(note.signatures)}
    signers: list[Verifier] = []
    for key in keys:
        signature = first.get((key.name, key.key_id)) if key.kind == ED25519 else None
        if signature is None or key in signers:
            continue
        if not key.verifies(note.text.encode(), signature.signed):
            raise NotANote(f"the signature of {key.name} is not that of its key over this text")
        signers.append(key)
    return tuple(signers)


def _signature(line: str) -> Signature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NotANote("a line below it is no signature")
    signed = decoded(match[2])
    if signed is None or len(signed) < 5:
        raise NotANote("a line below it is no signature")
    return Signature(match[1], signed[:4], signed[4:])


def _parts(key: str) -> tuple[str, str, bytes]:
    parts: Sequence[str] = key.split("+", 2)
    encoded = decoded(parts[2]) if len(parts) == 3 else None
    if not encoded or _NAME.fullmatch(parts[0]) is None:
        raise NotAKey("a key is written <name>+<key id>+<base64>")
    return parts[0], parts[1], encoded


def decoded(text: str) -> bytes | None:
    """Return the bytes of a canonical base64 text; None for any other text."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if b64encode(raw).decode() == text else None
