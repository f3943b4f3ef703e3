"""The keys of one log, as the text of a key file or secret: the signing key and the retired ones.

The first line is the private key; each further line is the public key of a retired one, the latest first.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.tlog.notes import ED25519, NotAKey, Signer, Verifier


def origin_of(deployment: str, service: str) -> str:
    """Return the origin of a service's log, which is the name of its keys."""
    return f"throughline.{deployment}/{service}"


@dataclass(frozen=True)
class LogKeys:
    """A log's signing key, and its retired public keys, the latest first."""

    signer: Signer
    retired: tuple[Verifier, ...] = ()

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
        keys = cls(Signer.parse(lines[0]), tuple(Verifier.parse(line) for line in lines[1:]))
        for key in keys.verifiers:
            if key.name != origin or key.kind != ED25519:
                raise NotAKey(f"it is a key of {key.name}, not of the log {origin}")
        return keys

    def rotated(self) -> LogKeys:
        """Return the log's keys with a new signing key; the old one's private part is dropped."""
        return LogKeys(Signer.generate(self.signer.name), self.verifiers)

    def text(self) -> str:
        """Return the text of the key file, which is private."""
        return "\n".join([self.signer.skey, *(key.vkey for key in self.retired)]) + "\n"
