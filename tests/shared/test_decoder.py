"""An unknown key is looked for once: a hostile writer does not make readers read the checkpoints again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest

from shared.consumer import decoder as decoder_module
from shared.consumer.decoder import RecordDecoder, Rotations
from shared.consumer.record import ConsumedEvent, KafkaRecord, Poison
from shared.events.meetings import MeetingRecorded
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.notes import Signer
from shared.tlog.trust import LogTrust, Rotation
from tests.history import History
from tests.proofs import signed_headers

ORIGIN = "throughline.synthetic/meetings"
OLD, NEW = Signer.generate(ORIGIN), Signer.generate(ORIGIN)
RECORD = (
    History()
    .add("meeting/m1", MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum"))
    .records["meeting/m1"][0]
)


class Counted(Rotations):
    """Rotations that count how often they are looked for; those in `on_topic` are found."""

    looks = 0
    on_topic: tuple[Rotation, ...] = ()

    async def follow(self, *, now: bool = False) -> None:
        self.looks += now
        for rotation in self.on_topic if now else ():
            self.trust.follow(rotation)


def by(signer: Signer) -> KafkaRecord:
    return replace(RECORD, headers=signed_headers(RECORD.value or b"", 0, signer))


def a_decoder() -> tuple[RecordDecoder, Counted]:
    trust = LogTrust([OLD.verifier])
    rotations = Counted(KafkaAccess("synthetic.invalid:9092"), ["meetings"], trust)
    return RecordDecoder(trust, rotations), rotations


async def test_a_key_is_looked_for_once_and_its_rotation_is_followed() -> None:
    decoder, rotations = a_decoder()
    rotations.on_topic = (Rotation(0, OLD.verifier, NEW.verifier),)
    assert [type(item) for item in await decoder.decode([by(NEW)])] == [ConsumedEvent]
    assert rotations.looks == 1


async def test_a_key_that_no_rotation_names_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_module, "LOOK_SECONDS", 0.2)
    decoder, rotations = a_decoder()
    thieves = [Signer.generate(ORIGIN) for _ in range(2)]
    began = monotonic()
    for thief in (thieves[0], thieves[0], thieves[1], thieves[0]):
        (item,) = await decoder.decode([by(thief)])
        assert isinstance(item, Poison)
        assert item.unknown_key == thief.verifier.key_id
    assert rotations.looks == 2
    assert monotonic() - began >= 0.2
    rotations.on_topic = (Rotation(0, OLD.verifier, NEW.verifier),)
    assert [type(item) for item in await decoder.decode([by(thieves[1]), by(NEW)])] == [Poison, ConsumedEvent]
    assert rotations.looks == 3


async def test_rotations_between_unknown_keys_cost_no_signature_check_and_a_chain_is_followed_from_its_last_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest, thief, another = (Signer.generate(ORIGIN) for _ in range(3))
    notes = [
        *(Rotation(size, thief.verifier, another.verifier).signed(thief, another) for size in range(500)),
        Rotation(10, OLD.verifier, NEW.verifier).signed(OLD, NEW),
        Rotation(20, NEW.verifier, newest.verifier).signed(NEW, newest),
        Rotation(10, thief.verifier, NEW.verifier).signed(thief, thief),
    ]

    async def on_topic(*_: object, **__: object) -> AsyncIterator[KafkaRecord]:
        for offset, note in enumerate(notes):
            yield KafkaRecord("throughline.checkpoints", 1, offset, None, note, ())

    opened = []
    monkeypatch.setattr(decoder_module, "read_topic", on_topic)
    monkeypatch.setattr(Rotation, "opened", lambda note, real=Rotation.opened: opened.append(note) or real(note))
    rotations = Rotations(KafkaAccess("synthetic.invalid:9092"), ["meetings"], LogTrust([newest.verifier]))
    await rotations.follow()
    assert [rotations.trust.trusts(each.verifier) for each in (OLD, NEW, newest, thief)] == [True, True, True, False]
    assert set(opened) == set(notes[-3:])
    assert set(rotations.published) == set(notes[-3:-1])
    assert all(rotations.is_published(note) for note in notes[:-1])
    assert not rotations.is_published(Rotation(30, OLD.verifier, thief.verifier).signed(OLD, thief))
