"""The writer of a log in a bundle, new or continued: tiles and entries first, the checkpoint last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import islice

from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.merkle import TILE_WIDTH, Tree, leaf_hash
from shared.tlog.notes import NotANote, Note, Verifier
from shared.tlog.tiles import NotABundle, Tile, bundle, bundles_of, entries_of, tiles_of
from tools.audit.bundle import ALL_KEYS, CHECKPOINT, CHECKPOINTS, CURRENT_KEY, Log, NotReadable

Entries = Callable[[int, int], Iterable[bytes]]
Advance = Callable[[int, int], None]


class CannotExport(Exception):
    """The events read do not have the signed root, or do not continue the existing export."""


def write_log(
    log: Log,
    checkpoints: Mapping[int, bytes],
    keys: Sequence[Verifier],
    entries: Entries,
    advance: Advance = lambda done, of: None,
) -> Checkpoint:
    """Write a log up to its newest checkpoint, continuing an existing one. Raises CannotExport, NotReadable.

    `entries(start, end)` returns the bytes of the events at those positions, in order.
    """
    if not checkpoints:
        raise CannotExport(f"{log.service} has signed no checkpoint yet: try again in a moment")
    newest = checkpoints[max(checkpoints)]
    checkpoint, _, by = _opened(log, newest, keys)
    old = _existing(log)
    tree, partial = _resume(log, old, checkpoint)
    coming = entries(tree.size + len(partial), checkpoint.size)
    _write_entries(log, tree, partial, coming, checkpoint, advance)
    if tree.root() != checkpoint.root:
        raise CannotExport(
            f"the {checkpoint.size} events of {log.service} that were read do not make the root that its checkpoint has"
        )
    for level, index, hashes in tree.partial():
        log.write(Tile(level, index, len(hashes) // 32).path, hashes)
    for size, raw in checkpoints.items():
        _write_checkpoint(log, size, raw)
    ordered = dict.fromkeys((*by, *keys))
    log.write(ALL_KEYS, "".join(f"{key.vkey}\n" for key in ordered).encode())
    log.write(CURRENT_KEY, f"{by[0].vkey}\n".encode())
    log.write(CHECKPOINT, log.file(f"{CHECKPOINTS}/{checkpoint.size}"))
    if old is not None:
        _remove_partial(log, old.size, checkpoint.size)
    return checkpoint


def _opened(log: Log, raw: bytes, keys: Sequence[Verifier]) -> tuple[Checkpoint, Note, tuple[Verifier, ...]]:
    try:
        checkpoint, note, by = opened(raw, keys)
    except NotANote as fault:
        raise CannotExport(f"a checkpoint of {log.service}: {fault}") from None
    if not by:
        raise CannotExport(f"the checkpoint of {log.service} at size {checkpoint.size} is signed with no known key")
    return checkpoint, note, by


def _existing(log: Log) -> Checkpoint | None:
    return log.checkpoint() if log.has(CHECKPOINT) else None


def _resume(log: Log, old: Checkpoint | None, new: Checkpoint) -> tuple[Tree, list[bytes]]:
    """Return the tree of the complete entry bundles, and the entries of the partial one."""
    tree = Tree()
    if old is None:
        return tree, []
    if old.origin != new.origin or old.size > new.size:
        raise CannotExport(f"{log.folder} holds {old.size} events of {old.origin}: this is not a continuation")
    for index in range(old.size // TILE_WIDTH):
        try:
            tree.add_tile(log.tile(Tile(0, index)))
        except ValueError:
            raise CannotExport(f"{log.folder / Tile(0, index).path} is not whole: verify the export") from None
    partial: list[bytes] = []
    for tile in bundles_of(old.size, tree.size):
        try:
            partial = entries_of(log.tile(tile))
        except NotABundle:
            raise CannotExport(f"{log.folder / tile.path} is not whole: verify the export") from None
    _ensure_root(log, old, tree, partial)
    return tree, partial


def _ensure_root(log: Log, old: Checkpoint, tree: Tree, partial: Sequence[bytes]) -> None:
    """Raise CannotExport unless the existing events have the root of the existing checkpoint."""
    whole = deepcopy(tree)
    for entry in partial:
        whole.add(leaf_hash(entry))
    if whole.size != old.size or whole.root() != old.root:
        raise CannotExport(f"the events in {log.folder} do not make the root of its checkpoint: verify it")


def _write_entries(
    log: Log, tree: Tree, partial: list[bytes], entries: Iterable[bytes], checkpoint: Checkpoint, advance: Advance
) -> None:
    """Write entry bundles and the tiles that become full."""
    coming = iter(entries)
    for tile in bundles_of(checkpoint.size, tree.size):
        chunk = partial + list(islice(coming, tile.width - len(partial)))
        partial = []
        if len(chunk) != tile.width:
            raise CannotExport(f"{log.service} gave {tile.index * TILE_WIDTH + len(chunk)} of {checkpoint.size} events")
        log.write(tile.path, bundle(chunk))
        for entry in chunk:
            for level, index, hashes in tree.add(leaf_hash(entry)):
                log.write(Tile(level, index).path, hashes)
        advance(tree.size, checkpoint.size)


def _write_checkpoint(log: Log, size: int, raw: bytes) -> None:
    """Write a checkpoint; an existing one keeps its cosignatures and gains new ones."""
    name = f"{CHECKPOINTS}/{size}"
    if not log.has(name):
        log.write(name, raw)
        return
    try:
        existing, new = Note.parse(log.file(name)), Note.parse(raw)
    except NotANote as fault:
        raise NotReadable(f"{log.folder / name}: {fault}") from None
    if existing.text != new.text:
        raise CannotExport(f"{log.folder / name} differs from the checkpoint of that size that was read now")
    log.write(name, existing.signed_with(*(each for each in new.signatures if each not in existing.signatures)).raw())


def _remove_partial(log: Log, old: int, new: int) -> None:
    """Remove the partial files of an earlier size, which the new ones replace."""
    current = {tile.path for tile in (*tiles_of(new), *bundles_of(new))}
    for tile in (*tiles_of(old), *bundles_of(old)):
        if tile.width < TILE_WIDTH and tile.path not in current:
            log.remove(tile.path)
