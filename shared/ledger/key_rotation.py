"""The rotation of a log's key: stored, published, and followed before the new key signs anything."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shared.consumer.decoder import Rotations
from shared.ledger.checkpoint_topic import publish_notes
from shared.ledger.ledger import Ledger
from shared.tlog.keys import LogKeys
from shared.tlog.notes import Verifier
from shared.tlog.trust import LogTrust, Rotation, service_of

log = structlog.get_logger()


class WrongKey(Exception):
    """Another key signs the log than that of this instance, whose signatures no reader would believe."""


async def announce_key(ledger: Ledger, rotations: Rotations, service: str, keys: LogKeys, size: int) -> None:
    """Store and publish the rotation to the log's new key, which signs from `size` on; publish those that are lost.

    It is made once, as long as the private key of the old one is there. A key that is called compromised is replaced
    without a rotation. Raises WrongKey.
    """
    trust, signing = rotations.trust, keys.signer.verifier
    await rotations.follow(now=True)
    for note in await ledger.rotations():
        trust.follow(Rotation.opened(note))
    if keys.retiring is not None and trust.is_current(keys.retiring.verifier):
        rotation = Rotation(size, keys.retiring.verifier, signing)
        await ledger.add_rotation(rotation.signed(keys.retiring, keys.signer))
        log.info("key_rotated", size=size, old=rotation.old.key_id.hex(), new=signing.key_id.hex())
    stored = map(Rotation.opened, await publish_lost_rotations(ledger, rotations, service))
    followed = [rotation for rotation in (*stored, *rotations.published.values()) if trust.follow(rotation)]
    await _ensure_signs(ledger, trust, signing, followed)


async def publish_lost_rotations(ledger: Ledger, rotations: Rotations, service: str) -> list[bytes]:
    """Publish the stored rotations that the topic of checkpoints lacks; return all that are stored."""
    await rotations.follow(now=True)
    stored = await ledger.rotations()
    await publish_notes(rotations.kafka, service, [note for note in stored if not rotations.is_published(note)])
    return stored


async def _ensure_signs(ledger: Ledger, trust: LogTrust, signing: Verifier, rotations: Sequence[Rotation]) -> None:
    """Check that this instance's key signs the log, and note it. Raises WrongKey."""
    if trust.is_replaced(signing):
        raise WrongKey(
            f"the key {signing.key_id.hex()} of {signing.name} was replaced: give this instance the new one "
            "(THROUGHLINE_CHECKPOINT_KEYS) and restart it"
        )
    noted = await ledger.signing_key()
    before = Verifier.parse(noted) if noted is not None else signing
    follows = any((rotation.old, rotation.new) == (before, signing) for rotation in rotations)
    if before != signing and not follows and before.key_id.hex() not in trust.distrusted:
        raise WrongKey(
            f"the key {before.key_id.hex()} signs {signing.name}, and this instance has {signing.key_id.hex()}: "
            "replace a key with throughline audit keygen --rotate; for one that is lost or compromised set "
            f"THROUGHLINE_DISTRUSTED_KEYS={before.key_id.hex()} everywhere, restart, and run: "
            f"throughline republish {service_of(signing.name)}"
        )
    await ledger.note_signing_key(signing.vkey)
