"""The export of a bundle: every log, the digests of the traces, the schemas, and a README for the auditor."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from services.recommendations.trace import SHAPE
from shared.runtime.version import version
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.notes import Verifier
from tools.audit.bundle import BREAKS, CHECKPOINT, FORMAT, MANIFEST, README, SCHEMAS, TRACES, Bundle, Log, NotReadable
from tools.audit.bundle_replay import trace_digests
from tools.audit.log_writer import Advance, CannotExport, write_log
from tools.audit.readme import readme
from tools.contracts.schemas import schemas
from tools.files import NotAFile, look_at_folder

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class Source(Protocol):
    """A source of logs: the services, or Kafka."""

    name: str
    remarks: list[str]
    """Sentences about records of the source that belong to no log."""

    def keys(self, service: str) -> Sequence[Verifier]:
        """Return every key that has signed for the log."""

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        """Return every signed checkpoint by its size."""

    def breaks(self, service: str) -> Sequence[bytes]:
        """Return every declared break of the log, the oldest first."""

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        """Yield the bytes of the events at these positions, in order."""


@dataclass(frozen=True)
class ExportResult:
    """The checkpoints and current keys by service, the number of new events by service, and of traces."""

    checkpoints: dict[str, Checkpoint]
    keys: dict[str, Verifier]
    new: dict[str, int]
    traces: int


class ProgressBar(Protocol):
    """Shows the progress of one part of the work."""

    def __call__(self, label: str, /) -> AbstractContextManager[Advance]: ...


def export(source: Source, folder: Path, services: Sequence[str], bar: ProgressBar) -> ExportResult:
    """Write a bundle, or continue an existing one. Raises CannotExport, NotReadable."""
    bundle = Bundle(folder)
    _ensure_bundle(bundle)
    checkpoints, keys, new = {}, {}, {}
    for service in services:
        log = Log(service, folder / service)
        before = log.checkpoint().size if log.has(CHECKPOINT) else 0
        with bar(f"Exporting {service}") as advance:
            signed = source.checkpoints(service)

            def entries(start: int, end: int, service: str = service) -> Iterable[bytes]:
                return source.entries(service, start, end)

            checkpoints[service] = write_log(log, signed, source.keys(service), entries, advance)
        for number, note in enumerate(source.breaks(service), start=1):
            log.write(f"{BREAKS}/{number}", note)
        keys[service] = log.keys()[0]
        new[service] = checkpoints[service].size - before
    for name, schema in schemas().items():
        bundle.write(f"{SCHEMAS}/{name}.json", orjson.dumps(schema, option=_PRETTY))
    with bar("Composing the traces") as advance:
        composed = trace_digests(bundle, advance)
    bundle.write(TRACES, orjson.dumps({"shape": SHAPE, "traces": composed}, option=_PRETTY))
    manifest = _manifest(source.name, checkpoints, keys)
    bundle.write(README, readme(manifest, len(composed)).encode())
    bundle.write(MANIFEST, orjson.dumps(manifest, option=_PRETTY))
    return ExportResult(checkpoints, keys, new, len(composed))


def _ensure_bundle(bundle: Bundle) -> None:
    folder = bundle.folder
    try:
        look_at_folder(folder)
        if not folder.exists() or not any(folder.iterdir()):
            return
    except NotAFile as fault:
        raise NotReadable(str(fault)) from None
    except OSError as fault:
        raise NotReadable(f"{folder} cannot be read as a folder ({type(fault).__name__})") from None
    try:
        bundle.logs  # noqa: B018
    except NotReadable:
        raise NotReadable(f"{folder} is not empty, and is no bundle: name another folder") from None
    if os.path.lexists(folder / MANIFEST) and (format_ := bundle.manifest().get("format")) != FORMAT:
        raise CannotExport(f"{folder} is a bundle of format {format_}, and this program writes format {FORMAT}")


def _manifest(read_from: str, checkpoints: Mapping[str, Checkpoint], keys: Mapping[str, Verifier]) -> dict[str, Any]:
    origins = [checkpoint.origin for checkpoint in checkpoints.values()]
    return {
        "format": FORMAT,
        "deployment": origins[0].rpartition("/")[0].removeprefix("throughline."),
        "version": version(),
        "shape": SHAPE,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "read_from": read_from,
        "services": {
            service: {
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "root": b64encode(checkpoint.root).decode(),
                "key": keys[service].vkey,
            }
            for service, checkpoint in checkpoints.items()
        },
    }
