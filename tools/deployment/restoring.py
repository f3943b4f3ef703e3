"""All logs restored from one export, each after a declared break, when databases and Kafka are lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.consumer.decoder import CHECKPOINTS
from shared.consumer.record import topic_of
from shared.consumer.topic_metadata import topic_inspector
from shared.ledger.restoration import Advance, CannotRestore, Restoration
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.breaks import LogBreak, old_signers
from shared.tlog.notes import Signer
from tools.audit.bundle import Log
from tools.client.mongodb_client import connect_async
from tools.client.stack_home import database

Bar = Callable[[str], AbstractContextManager[Advance]]
ALWAYS_LOST = (
    "uploaded documents, unless their collections are restored apart",
    "the keys of persons and the list of staff, unless they are restored apart: names stay closed until then",
    "refused commands, and the content of retried ones: their ids are known again, a refusal is decided anew",
)


@dataclass(frozen=True)
class LostLog:
    """A log of an export, the key of the lost log where it survives, and the key of the log that continues it."""

    log: Log
    old: Signer | None
    new: Signer
    lost: tuple[str, ...] = ()

    def broken(self, at: datetime) -> bytes:
        """Declare the break at the export's checkpoint."""
        checkpoint = self.log.checkpoint()
        beyond = f"events from position {checkpoint.size} on, as many as there were"
        lost = (beyond, *self.lost, *ALWAYS_LOST)
        declared = LogBreak(self.new.verifier, checkpoint.origin, checkpoint.size, checkpoint.root, at, lost)
        return declared.signed(self.new, self.old)


async def ensure_kafka_is_empty(kafka: KafkaAccess, services: Iterable[str]) -> None:
    """Check that every topic exists and never held a record. Raises CannotRestore, KafkaError."""
    async with topic_inspector(kafka) as inspector:
        for topic in (*map(topic_of, services), CHECKPOINTS):
            state = await inspector.state(topic)
            if state is None:
                raise CannotRestore(f"{topic} does not exist: create the topics as deploy/topics.yaml declares")
            if count := sum(state.next.values()):
                raise CannotRestore(
                    f"{topic} has held {count} records, so that Kafka is not lost: throughline refill restores from it "
                    "what a backup of MongoDB lacks. If Kafka is to be given up, export what it holds into the same "
                    "folder (throughline audit export --from kafka), then make the topics anew"
                )


async def restore(uri: str, logs: Mapping[str, LostLog], bar: Bar) -> dict[str, int]:
    """Restore all logs or, where any database is not empty, none; return how many events each gained.

    Raises CannotRestore, PyMongoError.
    """
    client = connect_async(uri)
    at = datetime.now(UTC).replace(microsecond=0)
    try:
        async with AsyncExitStack() as stack:
            restorations = {name: Restoration(client[database(name)], name) for name in logs}
            breaks = {}
            for name, restoration in restorations.items():
                await stack.enter_async_context(restoration.alone())
                breaks[name] = _breaks(logs[name], await restoration.declared(), at)
            gained = {}
            for name, restoration in restorations.items():
                with bar(f"Restoring {name}") as advance:
                    size = logs[name].log.checkpoint().size
                    entries = (raw for _, raw in logs[name].log.entries(end=size))
                    gained[name] = await restoration.run(breaks[name], entries, advance)
            return gained
    finally:
        client.close()


def _breaks(lost: LostLog, declared: list[bytes], at: datetime) -> list[bytes]:
    """Return the breaks of a restored log, the oldest first; those of an interrupted restoration if it was this one."""
    earlier = [raw for _, raw in lost.log.breaks()]
    if not declared:
        return [*earlier, lost.broken(at)]
    there, same = LogBreak.opened(declared[-1]), lost.log.checkpoint()
    is_this = (there.new, there.old_origin, there.size, there.root) == (
        lost.new.verifier, same.origin, same.size, same.root,
    )  # fmt: skip
    is_signed = lost.old is None or bool(old_signers(declared[-1], [lost.old.verifier]))
    if not is_this or not is_signed or declared[:-1] != earlier:
        raise CannotRestore(
            f"the database of {lost.log.service} was restored already: the break of {there.old_origin} at size "
            f"{there.size} is declared in it, by {there.new.name}. An interrupted restoration goes on with the same "
            "export, name and keys; to begin another, drop the databases of all services, and run throughline "
            "indexes ensure"
        )
    return declared
