"""The servers' contents at the end of a run, read past the services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, NamedTuple

from pymongo import MongoClient

from shared.consumer.record import KafkaRecord
from shared.domain.voids import voids_of
from shared.events.catalogue import Recorded, decode
from shared.tlog.trust import LogTrust
from tests.faults.rig.platform import Platform
from tests.journey.topics import everything_on
from tools.client.log_keys import log_trust
from tools.deployment import grants
from tools.local.stack import ALL_FOUR

Key = tuple[str, int]


class Mail(NamedTuple):
    """A message that the SMTP server accepted: its notification and its recipient."""

    notification: str
    recipient: str


@dataclass
class Evidence:
    """Commits, ledger batches, records (in the order of each partition) and event bytes by service, and all mails.

    `trust` believes the records of the logs; `persons` are the experts whose keys exist.
    """

    commits: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ledger: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    topic: dict[str, list[KafkaRecord]] = field(default_factory=dict)
    raws: dict[str, dict[Key, bytes]] = field(default_factory=dict)
    mail: list[Mail] = field(default_factory=list)
    journal: dict[str, dict[Key, bytes]] = field(default_factory=dict)
    persons: set[str] = field(default_factory=set)
    trust: LogTrust = field(default_factory=lambda: LogTrust(()))
    _recorded: dict[str, dict[Key, Recorded]] = field(default_factory=dict)

    def recorded(self, service: str) -> Mapping[Key, Recorded]:
        """Return a service's stored events, decoded."""
        if service not in self._recorded:
            self._recorded[service] = {key: decode(raw) for key, raw in self.raws[service].items()}
        return self._recorded[service]

    def heads(self, service: str) -> dict[str, int]:
        """Return the last version of each of a service's streams."""
        heads: dict[str, int] = {}
        for stream, version in self.raws[service]:
            heads[stream] = max(version, heads.get(stream, 0))
        return heads


def gather(platform: Platform) -> Evidence:
    """Read commits, ledgers, topics and mails."""
    evidence = Evidence(trust=log_trust(platform.stack.home))
    with MongoClient[dict[str, Any]](platform.stack.mongodb_admin_uri) as client:
        for service in ALL_FOUR:
            database = client[grants.database(service)]
            commits = list(database["commits"].find().sort("_id", 1))
            evidence.commits[service] = commits
            evidence.ledger[service] = list(database["ledger"].find().sort("_id", 1))
            evidence.raws[service] = {
                (commit["_id"]["s"], commit["_id"]["v"] + n): bytes(raw)
                for commit in commits
                for n, raw in enumerate(commit["events"])
            }
            evidence.journal[service] = {
                (row["_id"]["s"], row["_id"]["v"]): bytes(row["raw"]) for row in database["journal"].find()
            }
            evidence.topic[service] = everything_on(platform.stack.kafka, service)
            if service == "nominations":
                evidence.persons = {row["_id"] for row in database["keys"].find({"erased": {"$ne": True}}, {"_id": 1})}
    evidence.mail = [mail_of(file.read_bytes()) for file in sorted(platform.stack.mail.glob("*.eml"))]
    return evidence


def mail_of(content: bytes) -> Mail:
    """Parse a message that the SMTP server stored."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(
        str(message["Message-ID"]).strip("<>").partition("@")[0], str(message["X-RcptTo"] or message["X-RcptTos"])
    )


def holding(recorded: Iterable[Recorded]) -> Iterator[Recorded]:
    """Yield the events that are not void: a policy that looks late does nothing on the others."""
    streams: dict[str, list[Recorded]] = {}
    for event in recorded:
        streams.setdefault(event.subject, []).append(event)
    for events in streams.values():
        voids = voids_of(sorted(events, key=lambda event: event.streamversion))
        yield from (event for event in events if not voids.keys() & {1, event.streamversion})
