"""The keys of one log: the one that signs, and those that signed before it. A text, kept in a file or a secret.

The first line is the private key; each other line the public key of a retired one, the latest first.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.tlog.notes import ED25519, NotAKey, Signer, Verifier


def origin_of(deployment: str, service: str) -> str:
    """Return the origin of a service's log, which is the name of its keys."""
    return f"throughline.{deployment}/{service}"


@dataclass(frozen=True)
class LogKeys:
    """What a log signs with, and every key by which its checkpoints are verified, the current one first."""

    signer: Signer
    retired: tuple[Verifier, ...] = ()

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The public keys, the current one first."""
        return (self.signer.verifier, *self.retired)

    @classmethod
    def parse(cls, text: str, origin: str) -> LogKeys:
        """Read the text of a key file. Raises NotAKey, which says nothing of the private key but what is wrong."""
        lines = text.split()
        if not lines:
            raise NotAKey("it is empty")
        keys = cls(Signer.parse(lines[0]), tuple(Verifier.parse(line) for line in lines[1:]))
        for key in keys.verifiers:
            if key.name != origin or key.kind != ED25519:
                raise NotAKey(f"it is a key of {key.name}, not of the log {origin}")
        return keys

    def rotated(self) -> LogKeys:
        """Return the same log's keys with a new one to sign with; the private part of the old one is gone."""
        return LogKeys(Signer.generate(self.signer.name), self.verifiers)

    def text(self) -> str:
        """Return what the key file holds: it is private."""
        return "\n".join([self.signer.skey, *(key.vkey for key in self.retired)]) + "\n"
