"""An unknown key is looked for once: a hostile writer does not make readers read the checkpoints again and again."""

from __future__ import annotations

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
