"""Batch signatures: the Merkle root over consecutive entries of a log, signed by its key, with a proof of each entry.

A proof is bytes: version 1 (1 byte), key id (4), first position of the batch (8), size of the batch (2), signature
(64), and the inclusion path of the entry in the batch (32 each); numbers are big-endian. The signature covers
`throughline-batch/v1`, the log's origin, first position, size and root (base64), a line each. No checkpoint has that
first line, so neither is ever taken for the other.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.tlog.merkle import node_hash
from shared.tlog.notes import Signer

MAX_BATCH = 64
_VERSION = 1
_HEAD = struct.Struct(">B4sQH64s")


class NotAProof(ValueError):
    """The bytes are no proof, or not of this entry."""


class SignedRoot(NamedTuple):
    """A batch's root as an entry's proof leads to it, and the signature that must cover it."""

    key_id: bytes
    first: int
    size: int
    root: bytes
    signature: bytes

    @property
    def end(self) -> int:
        """The position after the batch's last entry."""
        return self.first + self.size

    def message(self, origin: str) -> bytes:
        """Return the bytes that the signature covers, for the log of this origin."""
        return f"throughline-batch/v1\n{origin}\n{self.first}\n{self.size}\n{b64encode(self.root).decode()}\n".encode()


def signed_root(proof: bytes, position: int, leaf: bytes) -> SignedRoot:
    """Return the root to which a proof leads from the leaf hash of the entry at a position. Raises NotAProof."""
    if len(proof) < _HEAD.size or proof[0] != _VERSION:
        raise NotAProof("it is no proof of version 1")
    _, key_id, first, size, signature = _HEAD.unpack_from(proof)
    at, width, node, place = position - first, size, leaf, _HEAD.size
    if not 0 <= at < width <= MAX_BATCH:
        raise NotAProof(f"its batch of {size} entries from position {first} on does not hold position {position}")
    while width > 1:
        if at ^ 1 < width:
            sibling = proof[place : place + 32]
            place += 32
            node = node_hash(sibling, node) if at & 1 else node_hash(node, sibling)
        at, width = at >> 1, (width + 1) >> 1
    if place != len(proof):
        raise NotAProof("its path has another length than its place in the batch asks for")
    return SignedRoot(key_id, first, size, node, signature)


def prove(signer: Signer, first: int, leaves: Sequence[bytes]) -> Iterator[bytes]:
    """Sign consecutive entries, given by their leaf hashes, in batches; yield the proof of each entry."""
    for start in range(0, len(leaves), MAX_BATCH):
        yield from _prove_batch(signer, first + start, leaves[start : start + MAX_BATCH])


def _prove_batch(signer: Signer, first: int, leaves: Sequence[bytes]) -> Iterator[bytes]:
    levels = [list(leaves)]
    while len(level := levels[-1]) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        levels.append([node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)] + odd)
    batch = SignedRoot(signer.verifier.key_id, first, len(leaves), levels[-1][0], b"")
    signature = signer.signature(batch.message(signer.name))
    head = _HEAD.pack(_VERSION, batch.key_id, first, batch.size, signature)
    for at in range(len(leaves)):
        siblings = ((level, (at >> height) ^ 1) for height, level in enumerate(levels[:-1]))
        yield head + b"".join(level[index] for level, index in siblings if index < len(level))
