"""An export from Kafka keeps few of the records that a stranger puts at the position of another."""

from __future__ import annotations

from shared.consumer.record import KafkaRecord
from tools.audit.kafka_source import MAX_COMBINATIONS, _SpilledTopic


def record(number: int) -> KafkaRecord:
    return KafkaRecord("throughline.meetings", 0, number, None, b"synthetic %d" % number, ())


def test_of_other_bytes_at_a_proven_position_one_is_kept() -> None:
    spilled = _SpilledTopic(10)
    spilled.add(0, record(0), proven=True)
    for number in range(1, 500):
        spilled.add(0, record(number), proven=False)
    assert [each.origin for each in spilled.alternatives[0]] == ["throughline.meetings/0/1"]
    assert spilled.choices(0) == [b"synthetic 0"]


def test_a_proven_record_counts_behind_many_without_a_proof() -> None:
    spilled = _SpilledTopic(10)
    for number in range(500):
        spilled.add(0, record(number), proven=False)
    assert len(spilled.alternatives[0]) == MAX_COMBINATIONS
    assert spilled.choices(0)[-1] == b"synthetic %d" % MAX_COMBINATIONS
    spilled.add(0, record(1_000), proven=True)
    spilled.add(0, record(1_001), proven=True)
    assert spilled.choices(0) == [b"synthetic 1000", b"synthetic 1001"]
