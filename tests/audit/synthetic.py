"""Synthetic ledgers, signed and exported without servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.events import meetings as m
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import SERVICES
from shared.events.envelope import encode, hash_of
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.merkle import leaf_hash, root_of
from shared.tlog.notes import Signer, Verifier
from tools.audit.bundle import Bundle
from tools.audit.exporting import ExportResult, export
from tools.audit.log_writer import Advance
from tools.simulate.history import history


def signer(service: str, deployment: str = "synthetic") -> Signer:
    """Return a new key of a log."""
    return Signer.generate(f"throughline.{deployment}/{service}")


@dataclass
class SyntheticLogs:
    """The four ledgers of a synthetic deployment, as a source of exports."""

    events: dict[str, list[bytes]]
    signers: dict[str, Signer] = field(default_factory=lambda: {name: signer(name) for name in SERVICES})
    earlier_keys: dict[str, list[Verifier]] = field(default_factory=dict)
    signed: dict[str, dict[int, bytes]] = field(default_factory=lambda: {name: {} for name in SERVICES})
    broken: dict[str, list[bytes]] = field(default_factory=dict)
    name: str = "http"
    remarks: list[str] = field(default_factory=list)

    def sign(self, service: str, size: int | None = None) -> bytes:
        """Sign a checkpoint at a size, as the checkpoint signer would."""
        events = self.events[service][:size]
        root = root_of([leaf_hash(raw) for raw in events])
        signer = self.signers[service]
        raw = Checkpoint(signer.name, len(events), root).signed(signer).raw()
        self.signed[service].setdefault(len(events), raw)
        return raw

    def sign_all(self, *parts: float) -> SyntheticLogs:
        """Sign checkpoints of each ledger at parts of its length, and at its end."""
        for service, events in self.events.items():
            for part in (*parts, 1):
                self.sign(service, int(len(events) * part))
        return self

    def keys(self, service: str) -> Sequence[Verifier]:
        return [self.signers[service].verifier, *self.earlier_keys.get(service, ())]

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        return self.signed[service]

    def breaks(self, service: str) -> Sequence[bytes]:
        return self.broken.get(service, ())

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        return self.events[service][start:end]

    def export(self, folder: Path) -> ExportResult:
        return export(self, folder, SERVICES, quiet)


@contextmanager
def quiet(_label: str) -> Iterator[Advance]:
    """Show nothing."""
    yield lambda done, of: None


def simulated(events: int, seed: int = 7) -> SyntheticLogs:
    """Return the ledgers of a plausible history of `events` events."""
    ledgers: dict[str, list[bytes]] = {name: [] for name in SERVICES}
    for commit in history(events, seed):
        ledgers[commit.service] += commit.raws
    return SyntheticLogs(ledgers)


def many(events: int, streams: int = 100) -> SyntheticLogs:
    """Return small events of one service, in streams of equal length; the other ledgers are empty."""
    heads = dict.fromkeys(range(streams), ZERO_HASH)
    raws: list[bytes] = []
    outcome = m.OutcomeRecorded(outcome="o", kind="decision", text="Synthetic outcome")
    for position in range(events):
        version, stream = divmod(position, streams)
        begun = m.MeetingRecorded(meeting=f"synthetic-{stream}", title="Synthetic meeting", kind="forum")
        raw = encode(
            outcome if version else begun,
            event_id=f"synthetic-{position}",
            subject=f"meeting/synthetic-{stream}",
            time="2021-01-01T00:00:00.000Z",
            version=version + 1,
            actor="synthetic-actor",
            role="secretariat",
            command_id=f"synthetic-{position}",
            correlation_id="synthetic",
            causation_id=None,
            previous_hash=heads[stream],
        )
        heads[stream] = hash_of(raw)
        raws.append(raw)
    return SyntheticLogs({name: raws if name == "meetings" else [] for name in SERVICES})


def exported(ledgers: SyntheticLogs, folder: Path) -> Bundle:
    """Export the ledgers, and return the bundle."""
    ledgers.export(folder)
    return Bundle(folder)
