"""An export: every log, the digests of the traces that they make, schemas, and a page for the auditor."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import orjson

from services.recommendations.trace import SHAPE
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.notes import Verifier
from tools.audit.bundle import FORMAT, MANIFEST, README, SCHEMAS, TRACES, Bundle, Log, NotReadable
from tools.audit.bundle_replay import digests
from tools.audit.log_writer import Advance, CannotExport, write, write_log
from tools.audit.readme import readme
from tools.contracts.schemas import schemas

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class Source(Protocol):
    """Where the logs are read: from the services, or from Kafka."""

    name: str
    remarks: list[str]
    """What was found there that belongs to no log, in words."""

    def keys(self, service: str) -> Sequence[Verifier]:
        """Return every key that the log ever signed with."""

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        """Return every signed checkpoint by its size."""

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        """Yield the bytes of the events at these positions, in order."""


@dataclass(frozen=True)
class Exported:
    """What an export came to."""

    checkpoints: dict[str, Checkpoint]
    keys: dict[str, Verifier]
    new: dict[str, int]
    traces: int


class Bar(Protocol):
    """Shows how far a part of the work has come."""

    def __call__(self, says: str, /) -> AbstractContextManager[Advance]: ...


def export(source: Source, folder: Path, services: Sequence[str], bar: Bar) -> Exported:
    """Write a bundle, or continue the one that is there. Raises CannotExport, NotReadable."""
    bundle = Bundle(folder)
    _must_be_ours(bundle)
    checkpoints, keys, new = {}, {}, {}
    for service in services:
        log = Log(service, folder / service)
        before = log.checkpoint().size if (log.folder / "checkpoint").exists() else 0
        with bar(f"Exporting {service}") as advance:
            told = source.checkpoints(service)

            def entries(start: int, end: int, service: str = service) -> Iterable[bytes]:
                return source.entries(service, start, end)

            checkpoints[service] = write_log(log, told, source.keys(service), entries, advance)
        keys[service] = log.keys()[0]
        new[service] = checkpoints[service].size - before
    _write_schemas(folder)
    with bar("Composing the traces") as advance:
        composed = digests(bundle, advance)
    write(folder / TRACES, orjson.dumps({"shape": SHAPE, "traces": composed}, option=_PRETTY))
    manifest = _manifest(source.name, checkpoints, keys)
    write(folder / README, readme(manifest, len(composed)).encode())
    write(folder / MANIFEST, orjson.dumps(manifest, option=_PRETTY))
    return Exported(checkpoints, keys, new, len(composed))


def _must_be_ours(bundle: Bundle) -> None:
    folder = bundle.folder
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        bundle.logs  # noqa: B018
    except NotReadable:
        raise CannotExport(f"{folder} is not empty, and is no bundle: name another folder") from None
    if (folder / MANIFEST).exists() and (found := bundle.manifest().get("format")) != FORMAT:
        raise CannotExport(f"{folder} is a bundle of format {found}, and this program writes format {FORMAT}")


def _write_schemas(folder: Path) -> None:
    for name, schema in schemas().items():
        write(folder / SCHEMAS / f"{name}.json", orjson.dumps(schema, option=_PRETTY))


def _manifest(read_from: str, checkpoints: Mapping[str, Checkpoint], keys: Mapping[str, Verifier]) -> dict[str, Any]:
    origins = [checkpoint.origin for checkpoint in checkpoints.values()]
    return {
        "format": FORMAT,
        "deployment": origins[0].rpartition("/")[0].removeprefix("throughline."),
        "version": version("throughline"),
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
