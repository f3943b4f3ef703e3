"""Every kind of tampering with an export is found and named: the log, the place and the fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.events.canonical import canonical
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.merkle import leaf_hash, root_of
from shared.tlog.tiles import Tile, bundle, entries_of
from tests.audit.synthetic import SyntheticLogs, exported, signer, simulated
from tools.audit.bundle import Bundle, Log
from tools.audit.findings import Finding
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import Verification, verify

pytestmark = pytest.mark.slow

SERVICE = "meetings"
LEDGERS = simulated(2_000).sign_all(0.25, 0.5)
EVENTS = LEDGERS.events[SERVICE]
SIZE = len(EVENTS)
PINNED = TrustedKeys(tuple(LEDGERS.signers[service].verifier for service in LEDGERS.events))


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """An untampered export."""
    return exported(LEDGERS, tmp_path_factory.mktemp("audit") / "export")


@pytest.fixture
def copy(true: Bundle, tmp_path: Path) -> Bundle:
    """A copy of the export, for tampering."""
    shutil.copytree(true.folder, tmp_path / "export")
    return Bundle(tmp_path / "export")


def place(position: int) -> tuple[str, int]:
    event = orjson.loads(EVENTS[position])
    return event["subject"], event["streamversion"]


def tile_of(position: int, level: int | None = None) -> Tile:
    index = position // 256
    return Tile(level, index, min(256, SIZE - index * 256))


def change_entries(log: Log, position: int, change: Callable[[list[bytes], int], None]) -> None:
    """Change the entry bundle of a position, and nothing else."""
    path = log.folder / tile_of(position).path
    entries = entries_of(path.read_bytes())
    change(entries, position % 256)
    path.write_bytes(bundle(entries))


def rebuild(folder: Path, events: list[bytes], *, checkpoints: tuple[int, ...] = ()) -> Bundle:
    """Write a log of other events with matching tiles, signed with the log's own key."""
    forged = SyntheticLogs(LEDGERS.events | {SERVICE: events}, LEDGERS.signers).sign_all()
    for size in checkpoints:
        forged.sign(SERVICE, size)
    return exported(forged, folder)


def first(done: Verification, kind: str | None = None) -> Finding:
    assert not done.holds
    assert done.findings.listed
    return next(finding for finding in done.findings.listed if kind is None or finding.kind == kind)


def at(finding: Finding) -> tuple[str, int | None, str | None, int | None]:
    return finding.service, finding.position, finding.stream, finding.version


def chained(events: list[bytes], position: int, **changes: Any) -> list[bytes]:
    """Return a forged history: one event changed, and each later event of its stream chained to the forgery."""
    forged = list(events)
    stream = orjson.loads(events[position])["subject"]
    previous: bytes | None = None
    for number in range(position, len(forged)):
        event = orjson.loads(forged[number])
        if event["subject"] != stream:
            continue
        if previous is None:
            event |= changes
        else:
            event["previoushash"] = sha256(previous).hexdigest()
        previous = forged[number] = canonical(event)
    return forged


MIDDLE = next(n for n in range(300, SIZE) if place(n)[1] > 1)
LAST_OF_STREAM = max(n for n in range(SIZE) if place(n) == place(MIDDLE) or place(n)[0] == place(MIDDLE)[0])


def test_an_untouched_export_is_verified(true: Bundle) -> None:
    done = verify(true, PINNED)
    assert done.findings.listed == []
    assert done.holds
    assert done.events == sum(map(len, LEDGERS.events.values()))
    assert {service: check.verified_size for service, check in done.checks.items()} == {
        service: len(events) for service, events in LEDGERS.events.items()
    }
    assert sorted(done.checks[SERVICE].signed.roots) == [SIZE // 4, SIZE // 2, SIZE]
    assert done.open.count == 0


@pytest.mark.parametrize("position", [0, 255, 256, MIDDLE, SIZE - 1])
@pytest.mark.parametrize("where", [0, 0.5, -1])
def test_a_byte_of_an_event_is_flipped(copy: Bundle, position: int, where: float) -> None:
    def flip(entries: list[bytes], at: int) -> None:
        raw = bytearray(entries[at])
        raw[int(len(raw) * where) if where >= 0 else -1] ^= 1
        entries[at] = bytes(raw)

    change_entries(copy.logs[SERVICE], position, flip)
    done = verify(copy, PINNED)
    assert first(done).position == position
    assert first(done).service == SERVICE
    assert "bytes" in first(done, "leaf").what
    assert first(done, "root").what.startswith("the first ")


def test_a_byte_of_each_tile_is_flipped(copy: Bundle) -> None:
    log = copy.logs[SERVICE]
    for path in sorted((log.folder / "tile").glob("[0-9]/**/*")):
        if path.is_file():
            original = path.read_bytes()
            path.write_bytes(bytes([original[0] ^ 1]) + original[1:])
            finding = first(verify(copy, PINNED))
            assert finding.service == SERVICE
            assert str(path.relative_to(log.folder)) in finding.what
            path.write_bytes(original)
    assert verify(copy, PINNED).holds


@pytest.mark.drill
@pytest.mark.parametrize("name", ["checkpoint", "checkpoints/*", "log.vkey", "log.vkeys"])
@pytest.mark.parametrize("sign", ["1", "A"])
def test_a_byte_of_a_checkpoint_or_key_is_changed(copy: Bundle, name: str, sign: str) -> None:
    for path in sorted(copy.logs[SERVICE].folder.glob(name)):
        original = path.read_text()
        places = [n for n, character in enumerate(original) if character.isalnum() and character != sign]
        for at in places[:: 1 + len(original) // 7]:
            path.write_text(original[:at] + sign + original[at + 1 :])
            done = verify(copy, TrustedKeys())
            assert not done.holds, (path.name, at)
            assert done.findings.listed[0].service == SERVICE
        path.write_text(original)
    assert verify(copy, PINNED).holds


def drop(entries: list[bytes], at: int) -> None:
    del entries[at]


def insert(entries: list[bytes], at: int) -> None:
    entries.insert(at, entries[0])


def duplicate(entries: list[bytes], at: int) -> None:
    entries.insert(at, entries[at - 1])


def swap(entries: list[bytes], at: int) -> None:
    entries[at], entries[at + 1] = entries[at + 1], entries[at]


@pytest.mark.parametrize("tamper", [drop, insert, duplicate, swap])
def test_an_event_is_dropped_added_or_moved(copy: Bundle, tamper: Callable[[list[bytes], int], None]) -> None:
    change_entries(copy.logs[SERVICE], MIDDLE, tamper)
    assert first(verify(copy, PINNED)).position == MIDDLE


def test_the_log_is_truncated(copy: Bundle) -> None:
    log = copy.logs[SERVICE]
    (log.folder / tile_of(SIZE - 1).path).unlink()
    finding = first(verify(copy, PINNED))
    assert (finding.kind, finding.position) == ("entries", SIZE // 256 * 256)
    change_entries(log, 0, lambda entries, _: entries.clear())
    assert first(verify(copy, PINNED)).position == 0


def test_an_entry_bundle_is_truncated(copy: Bundle) -> None:
    path = copy.logs[SERVICE].folder / tile_of(300).path
    path.write_bytes(path.read_bytes()[:-1])
    finding = first(verify(copy, PINNED))
    assert (finding.kind, finding.position) == ("entries", 256)
    assert "last entry is not whole" in finding.what


def test_a_log_is_left_out(copy: Bundle) -> None:
    shutil.rmtree(copy.folder / SERVICE)
    assert "no folder of it" in first(verify(copy, PINNED), "manifest").what


REWRITTEN = {
    "missing": lambda events: events[:MIDDLE] + events[MIDDLE + 1 :],
    "repeated": lambda events: [*events[:MIDDLE], events[MIDDLE - 1], *events[MIDDLE:]],
    "chain": lambda events: [
        *events[: MIDDLE - 0],
        events[MIDDLE].replace(b'"role":"', b'"role":"', 1).replace(b'"actor":"', b'"actor":"forged-', 1),
        *events[MIDDLE + 1 :],
    ],
}


@pytest.mark.parametrize("kind", REWRITTEN)
def test_a_rewritten_log_signed_with_the_true_key_still_breaks_its_chain(kind: str, tmp_path: Path) -> None:
    done = verify(rebuild(tmp_path / "forged", REWRITTEN[kind](EVENTS)), PINNED)
    finding = first(done)
    assert finding.kind == kind
    assert finding.stream is not None
    if kind == "repeated":
        assert at(finding) == (SERVICE, MIDDLE, *place(MIDDLE - 1))
    else:
        stream, version = place(MIDDLE)
        following = next(n for n in range(MIDDLE + 1, SIZE) if place(n)[0] == stream)
        assert at(finding) == (SERVICE, following - (kind == "missing"), stream, version + 1)


def test_events_of_one_stream_that_are_swapped_in_a_rewritten_log(tmp_path: Path) -> None:
    following = next(n for n in range(MIDDLE + 1, SIZE) if place(n)[0] == place(MIDDLE)[0])
    swapped = list(EVENTS)
    swapped[MIDDLE], swapped[following] = swapped[following], swapped[MIDDLE]
    done = verify(rebuild(tmp_path / "forged", swapped), PINNED)
    assert at(first(done, "missing")) == (SERVICE, MIDDLE, *place(following))


def test_an_event_of_another_service_or_of_no_schema(tmp_path: Path) -> None:
    other = LEDGERS.events["nominations"][0]
    broken = canonical(orjson.loads(EVENTS[0]) | {"data": {"meeting": 7}})
    unknown = canonical(orjson.loads(EVENTS[1]) | {"type": "throughline.meetings.MeetingDreamt.v1"})
    done = verify(rebuild(tmp_path / "forged", [broken, unknown, other, b"{", *EVENTS[4:]]), PINNED)
    kinds = {(finding.position, finding.kind) for finding in done.findings.listed}
    assert {(0, "schema_violation"), (1, "unknown_type"), (2, "wrong_log"), (3, "undecodable")} <= kinds


def forged_wholly(folder: Path) -> Bundle:
    """Return another history that is consistent in itself: chained, hashed and signed with the true key."""
    return rebuild(folder, chained(EVENTS, MIDDLE, actor="forged-actor"))


def test_a_consistent_forgery_signed_with_the_true_key_is_found_with_an_earlier_export(
    true: Bundle, tmp_path: Path
) -> None:
    forged = forged_wholly(tmp_path / "forged")
    assert verify(forged, PINNED).holds
    finding = first(verify(forged, PINNED, since=true))
    assert (finding.service, finding.kind) == (SERVICE, "root")
    assert "the earlier export's checkpoints/" in finding.what


def test_a_fork_is_found_where_its_checkpoints_meet(copy: Bundle, tmp_path: Path) -> None:
    forged = rebuild(tmp_path / "forged", chained(EVENTS, MIDDLE, actor="forged-actor"), checkpoints=(SIZE - 1,))
    name = f"checkpoints/{SIZE - 1}"
    shutil.copy(forged.logs[SERVICE].folder / name, copy.logs[SERVICE].folder / name)
    finding = first(verify(copy, PINNED))
    assert (finding.service, finding.kind) == (SERVICE, "root")
    assert name in finding.what
    assert f"up to size {SIZE // 2}" in finding.what


def test_an_old_checkpoint_is_put_in_place_of_the_newest(true: Bundle, copy: Bundle) -> None:
    folder = copy.logs[SERVICE].folder
    shutil.copy(folder / f"checkpoints/{SIZE // 2}", folder / "checkpoint")
    assert "it is an old one" in first(verify(copy, PINNED), "replayed").what
    (folder / f"checkpoints/{SIZE}").unlink()
    assert "some were taken away" in first(verify(copy, PINNED, since=true), "since").what


def test_the_newest_checkpoint_is_missing_from_its_folder(copy: Bundle) -> None:
    (copy.logs[SERVICE].folder / f"checkpoints/{SIZE}").unlink()
    assert "is missing" in first(verify(copy, PINNED), "checkpoint").what


def test_a_wrong_key(true: Bundle, tmp_path: Path) -> None:
    others = TrustedKeys((*PINNED.logs[:1], *(signer(service).verifier for service in list(LEDGERS.events)[1:])))
    assert {finding.service for finding in verify(true, others).findings.listed} == set(list(LEDGERS.events)[1:])
    forger = SyntheticLogs(LEDGERS.events).sign_all()
    forged = exported(forger, tmp_path / "forged")
    assert verify(forged, TrustedKeys()).holds
    assert {finding.kind for finding in verify(forged, PINNED).findings.listed} == {"key"}


def test_a_checkpoint_of_another_log(copy: Bundle) -> None:
    shutil.copytree(copy.folder / "nominations", copy.folder / SERVICE, dirs_exist_ok=True)
    assert "is of the log throughline.synthetic/nominations" in first(verify(copy, PINNED), "origin").what


def test_the_manifest_states_another_size(copy: Bundle) -> None:
    manifest = copy.manifest()
    manifest["services"][SERVICE]["size"] += 1
    (copy.folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    assert first(verify(copy, PINNED)).kind == "manifest"


def test_the_forgery_is_consistent_in_itself(tmp_path: Path) -> None:
    log = forged_wholly(tmp_path / "forged").logs[SERVICE]
    checkpoint, _, by = opened(log.file("checkpoint"), PINNED.logs)
    assert by
    assert checkpoint == Checkpoint(checkpoint.origin, SIZE, root_of([leaf_hash(raw) for _, raw in log.entries()]))
