"""Folded streams kept small: the state as JSON, position and leaf hash of each version packed; opened on demand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from struct import Struct
from typing import NamedTuple

from services.recommendations.projection import AGGREGATES
from shared.projection.fold import UNFOLDED, FoldedState

_LINE = Struct(">Q32s")
_OPEN_BYTES = 50_000_000
_OPENED = 8
"""How many times larger a state is as objects than as JSON."""


class Kept(NamedTuple):
    """A folded stream, packed."""

    state: bytes
    version: int
    depends_on: tuple[str, ...]
    line: bytes


def keep(folded: FoldedState) -> Kept:
    """Pack a folded stream."""
    aggregate = AGGREGATES[folded.stream.partition("/")[0]]
    places = (each.split(":") for each in folded.ledger_refs.split())
    return Kept(
        state=aggregate.states.dump_json(folded.state, exclude_none=True),
        version=folded.version,
        depends_on=tuple(sorted(folded.depends_on)),
        line=b"".join(_LINE.pack(int(position), bytes.fromhex(leaf)) for position, leaf in places),
    )


class Streams(Mapping[str, FoldedState]):
    """Folded streams by name: those opened lately in memory, one that is not in the history at its beginning."""

    def __init__(self, kept: Mapping[str, Kept]) -> None:
        self._kept = kept
        self._open: OrderedDict[str, FoldedState] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, stream: str) -> FoldedState:
        found = self._open.get(stream)
        if found is None:
            found = self._opened(stream)
            self._open[stream] = found
            while self._bytes > _OPEN_BYTES:
                self._bytes -= self._size(self._open.popitem(last=False)[0])
        else:
            self._open.move_to_end(stream)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _opened(self, stream: str) -> FoldedState:
        aggregate = AGGREGATES.get(stream.partition("/")[0], UNFOLDED)
        kept = self._kept.get(stream)
        self._bytes += self._size(stream)
        if kept is None:
            return FoldedState(stream, aggregate.initial)
        return FoldedState(
            stream=stream,
            state=aggregate.states.validate_json(kept.state),
            version=kept.version,
            depends_on=frozenset(kept.depends_on),
            ledger_refs=_line(kept.line),
        )

    def _size(self, stream: str) -> int:
        kept = self._kept.get(stream)
        return _OPENED * len(kept.state) + 2 * len(kept.line) + 500 if kept else 500


def _line(packed: bytes) -> str:
    return " ".join([f"{position}:{leaf.hex()}" for position, leaf in _LINE.iter_unpack(packed)])
