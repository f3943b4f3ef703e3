"""The keys of one log, as the text of a key file or secret: the signing key and the retired ones.

The first line is the private key; each further line is the public key of a retired one, the latest first. Of the latest
one the private key stays there until the rotation is published, since it signs that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.tlog.notes import ED25519, PRIVATE, NotAKey, Signer, Verifier


def origin_of(deployment: str, service: str) -> str:
    """Return the origin of a service's log, which is the name of its keys."""
    return f"throughline.{deployment}/{service}"


@dataclass(frozen=True)
class LogKeys:
    """A log's signing key, its retired public keys, the latest first, and `retiring`, the latest one's private key."""

    signer: Signer
    retired: tuple[Verifier, ...] = ()
    retiring: Signer | None = None

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The public keys, the current one first."""
        return (self.signer.verifier, *self.retired)

    @classmethod
    def parse(cls, text: str, origin: str) -> LogKeys:
        """Parse the text of a key file. Raises NotAKey, whose message never holds the private key."""
        lines = text.split()
        if not lines:
            raise NotAKey("it is empty")
        current, retired = Signer.parse(lines[0]), lines[1:]
        retiring = Signer.parse(retired[0]) if retired and retired[0].startswith(PRIVATE) else None
        if retiring is not None:
            retired[0] = retiring.verifier.vkey
        keys = cls(current, tuple(Verifier.parse(line) for line in retired), retiring)
        for key in keys.verifiers:
            if key.name != origin or key.kind != ED25519:
                raise NotAKey(f"it is a key of {key.name}, not of the log {origin}")
        return keys

    def rotated(self) -> LogKeys:
        """Return the log's keys with a new signing key; the old one signs the rotation."""
        return LogKeys(Signer.generate(self.signer.name), self.verifiers, self.signer)

    def without_retiring(self) -> LogKeys:
        """Return the log's keys without the private key of the retired one."""
        return replace(self, retiring=None)

    def text(self) -> str:
        """Return the text of the key file, which is private."""
        retired = [key.vkey for key in self.retired]
        if self.retiring is not None:
            retired[0] = self.retiring.skey
        return "\n".join([self.signer.skey, *retired]) + "\n"
