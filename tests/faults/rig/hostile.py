"""A hostile writer: it may publish anything to Kafka, all through a run, and signs with keys that nobody trusts."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.consumer.decoder import CHECKPOINTS
from shared.consumer.record import KafkaRecord, headers_of
from shared.consumer.topic_reader import read_topic
from shared.events.canonical import leaf_hash
from shared.events.catalogue import Undecodable, decode
from shared.events.event import Event
from shared.events.nominations import ExpertErased, NominationSubmitted, NominationWithdrawn
from shared.events.recommendations import RecommendationWithdrawn
from shared.events.services import registered
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.keys import origin_of
from shared.tlog.notes import Signer, Verifier
from shared.tlog.trust import Rotation, service_of
from tests.faults.rig.forging import NOWHERE, forgery
from tests.proofs import signed_headers
from tools.client.stack_home import PUBLIC_KEYS
from tools.local.log_keys import DEPLOYMENT
from tools.local.stack import ALL_FOUR

SAMPLE = 40
PAUSE_SECONDS = 0.15
PAUSE_SECONDS_ONCE = 0.6
READ_EVERY = 40
REASON = "Synthetic forgery"
WITHDRAWALS: dict[str, Event] = {
    "recommendation": RecommendationWithdrawn(reason=REASON),
    "nomination": NominationWithdrawn(withdrawn_on="2031-01-01", note=REASON),
}


@dataclass
class HostileWriter:
    """A writer with the access of Kafka's administrator; `placed` are the origins of its records."""

    kafka: KafkaAccess
    keys: dict[str, Verifier]
    chance: random.Random
    placed: set[str]
    pause_seconds: float
    count: int = 0
    errors: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thieves: dict[str, Signer] = field(init=False)

    def __post_init__(self) -> None:
        self._thieves = {name: Signer.generate(origin_of(DEPLOYMENT, name)) for name in ALL_FOUR}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write during a block."""
        thread = threading.Thread(target=lambda: asyncio.run(self._write()), name="hostile writer", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(60)

    async def _write(self) -> None:
        """Write until the end; begin again where a broker is away."""
        while not self._over.is_set():
            try:
                await self._write_some()
            except (KafkaError, OSError):
                await asyncio.sleep(1)
            except Exception as error:  # noqa: BLE001
                self.errors.append(f"{type(error).__name__}: {error}")
                return

    async def _write_some(self) -> None:
        service = self.chance.choice(ALL_FOUR)
        true = [record async for record in read_topic(self.kafka, registered(service).topic, last=SAMPLE)]
        producer = AIOKafkaProducer(**self.kafka.client(), request_timeout_ms=10_000)
        await producer.start()
        try:
            for _ in range(READ_EVERY):
                if self._over.is_set():
                    return
                await self._place_one(producer, service, true)
                await asyncio.sleep(self.chance.uniform(0, 2 * self.pause_seconds))
        finally:
            await producer.stop()

    async def _place_one(self, producer: AIOKafkaProducer, service: str, true: list[KafkaRecord]) -> None:
        if not true or self.chance.random() < 0.1:
            note = self.chance.choice([self._checkpoint, self._rotation, self._garbage])(service)
            partition = registered(service).checkpoint_partition
            await producer.send_and_wait(CHECKPOINTS, note, key=service.encode(), partition=partition)
        else:
            record = self.chance.choice(self._kinds)(service, self.chance.choice(true))
            partition = record.partition if self.chance.random() < 0.8 else self.chance.randrange(6)
            headers = [(name.encode(errors="replace").decode(), value) for name, value in record.headers]
            placed = await producer.send_and_wait(
                record.topic, record.value, key=record.key, headers=headers, partition=partition
            )
            self.placed.add(f"{placed.topic}/{placed.partition}/{placed.offset}")
        self.count += 1

    @property
    def _kinds(self) -> list[Callable[[str, KafkaRecord], KafkaRecord]]:
        return [self._repeated, self._moved, self._next, self._far_ahead, self._of_consequence, self._with_a_true_proof]

    def _repeated(self, _service: str, true: KafkaRecord) -> KafkaRecord:
        """Return an old record as it was."""
        return true

    def _moved(self, service: str, true: KafkaRecord) -> KafkaRecord:
        """Return true bytes at a position that nobody signed for them."""
        position = self.chance.choice([0, 1, 10**6, NOWHERE])
        return self._as(service, true, true.value or b"", position)

    def _next(self, service: str, true: KafkaRecord) -> KafkaRecord:
        """Return a well-formed next event of a stream."""
        return self._forged(service, true)

    def _far_ahead(self, service: str, true: KafkaRecord) -> KafkaRecord:
        """Return a well-formed event far past the end of a stream."""
        return self._forged(service, true, streamversion=self.chance.randrange(50, 9_000))

    def _of_consequence(self, service: str, true: KafkaRecord) -> KafkaRecord:
        """Return an event that policies would act on: an erasure or a withdrawal."""
        try:
            data = decode(true.value or b"").data
        except Undecodable:
            return true
        kind = (true.key or b"").decode(errors="replace").partition("/")[0]
        if isinstance(data, NominationSubmitted):
            erased = ExpertErased(person=data.person, reason=REASON)
            stream = f"expert/{data.person}"
            return self._forged(service, true, **_of(erased), subject=stream, streamversion=1)
        return self._forged(service, true, **(_of(WITHDRAWALS[kind]) if kind in WITHDRAWALS else {}))

    def _with_a_true_proof(self, service: str, true: KafkaRecord) -> KafkaRecord:
        """Return forged bytes with the proof of true ones."""
        forged = self._forged(service, true)
        return KafkaRecord(true.topic, true.partition, 0, true.key, forged.value, true.headers)

    def _forged(self, service: str, true: KafkaRecord, **attributes: object) -> KafkaRecord:
        try:
            decode(true.value or b"")
        except Undecodable:
            return true
        forged = forgery(true.value or b"", "0" * 64, None, **attributes)
        key = str(attributes.get("subject", (true.key or b"").decode(errors="replace"))).encode()
        true = KafkaRecord(true.topic, true.partition, 0, key, true.value, true.headers)
        return self._as(service, true, forged.value or b"", self.chance.choice([0, 10**6, NOWHERE]))

    def _as(self, service: str, true: KafkaRecord, raw: bytes, position: int) -> KafkaRecord:
        """Return bytes as a record: unsigned, signed by a thief's key, or with an old proof."""
        headers = self.chance.choice([
            headers_of(position, leaf_hash(raw), b""),
            signed_headers(raw, position, self._thieves[service]),
            headers_of(position, leaf_hash(raw), dict(true.headers).get("proof") or b"\x01"),
        ])  # fmt: skip
        return KafkaRecord(true.topic, true.partition, 0, true.key, raw, headers)

    def _checkpoint(self, service: str) -> bytes:
        """Return a checkpoint of a log that is longer, signed by a thief's key."""
        thief = self._thieves[service]
        return Checkpoint(thief.name, 10**6, bytes(32)).signed(thief).raw()

    def _rotation(self, service: str) -> bytes:
        """Return a rotation to a thief's key, which the log's own key did not sign."""
        thief, size = self._thieves[service], self.chance.randrange(10**6)
        return Rotation(size, self.keys[service], thief.verifier).signed(thief, thief)

    def _garbage(self, _service: str) -> bytes:
        return self.chance.randbytes(200)


def _of(event: Event) -> dict[str, object]:
    """Return the attributes that an event of this kind has."""
    data = event.model_dump(mode="json", exclude_none=True)
    return {"type": event.type_name(), "dataschema": event.schema_name(), "data": data}


def public_keys(home: Path) -> dict[str, Verifier]:
    """Return the public key of each log of a local stack."""
    keys = [Verifier.parse(line) for line in (home / PUBLIC_KEYS).read_text(encoding="utf-8").split()]
    return {service_of(key.name): key for key in keys}
