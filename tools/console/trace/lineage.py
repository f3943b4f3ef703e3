"""The drawing of a trace's chain, as SVG: an own layout in five columns, by rows that cross as little as they can."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

WIDTH, HEIGHT, GAP, SPACE, TOP = 156, 78, 33, 14, 34
"""Width and height of a node, space between columns and rows, and above the first row: in pixels."""
LANE = 10
"""The height of a line that passes a column by."""
INK, PAPER, LINE, SUSPECT, QUIET, OWN = "#0b0c0c", "#ffffff", "#14506b", "#942514", "#484949", "#e8f1f5"
EDGE = "#5c7a88"
COLUMN_WIDTH = 21
LINES = 3
_SWEEPS = 12
_MOST_EDGES = 200
"""The most lines that are put in order: more would be many to read, and slow to order."""
Edge = tuple[str, str]
Order = list[list[str]]


@dataclass(frozen=True)
class Node:
    """A node of the drawing: `foot` says its standing and certainty, `whole` all that a reader may want to hear."""

    name: str
    column: int
    label: str
    foot: str
    whole: str
    href: str
    is_suspect: bool = False
    is_own: bool = False


def drawing(nodes: Sequence[Node], edges: Sequence[Edge], columns: Sequence[str], title: str, desc: str) -> str:
    """Return the SVG of nodes in columns, with lines between them."""
    by_name = {node.name: node for node in nodes}
    steps, lanes = with_lanes({node.name: node.column for node in nodes}, edges)
    order = ordered(steps, lanes, len(columns))
    places = _places(order, by_name.keys())
    width = len(columns) * WIDTH + (len(columns) - 1) * GAP + 4
    height = max(y + (HEIGHT if name in by_name else LANE) for name, (_, y) in places.items()) + 2
    parts = [
        _opening(width, height),
        f'<title id="chain-title">{escape(title)}</title><desc id="chain-desc">{escape(desc)}</desc>',
        *(_heading(column, text) for column, text in enumerate(columns)),
        *(_edge(edge, places, by_name.keys()) for edge in lanes),
        *(_lane(places[name]) for name in steps if name not in by_name),
        *(_node(by_name[name], places[name]) for column in order for name in column if name in by_name),
        "</svg>",
    ]
    return "".join(parts)


def _opening(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}" '
        f'height="{height:.0f}" role="group" aria-labelledby="chain-title chain-desc">'
    )


def with_lanes(columns: Mapping[str, int], edges: Sequence[Edge]) -> tuple[dict[str, int], list[Edge]]:
    """Lead what passes a column by through one lane there for each end; return the columns and edges with lanes."""
    placed, through = dict(columns), dict.fromkeys(edges)
    filled = set(columns.values())
    for start, end in edges:
        between = [each for each in range(columns[start] + 1, columns[end]) if each in filled]
        if not between:
            continue
        del through[start, end]
        stops = [start, *(f"lane {column} {end if column < 2 else start}" for column in between), end]
        placed |= dict(zip(stops[1:-1], between, strict=True))
        through |= dict.fromkeys(pairwise(stops))
    return placed, list(through)


def ordered(columns: Mapping[str, int], edges: Sequence[Edge], count: int) -> Order:
    """Order each column: by the mean row of neighbours, sweep by sweep, then by swapping rows that lie side by side."""
    order: Order = [[name for name, own in columns.items() if own == column] for column in range(count)]
    if len(edges) > _MOST_EDGES:
        return order
    best, fewest = [list(column) for column in order], crossings(order, edges)
    neighbours = _neighbours(columns, edges)
    for sweep in range(_SWEEPS if fewest else 0):
        rows = {name: row - (len(column) - 1) / 2 for column in order for row, name in enumerate(column)}
        for column in order if sweep % 2 == 0 else reversed(order):
            column.sort(key=lambda name: _mean(name, rows, neighbours[sweep % 2]))
            rows |= {name: row - (len(column) - 1) / 2 for row, name in enumerate(column)}
        if (crossed := crossings(order, edges)) < fewest:
            best, fewest = [list(column) for column in order], crossed
    return _swapped(best, edges)


def crossings(order: Order, edges: Sequence[Edge]) -> int:
    """Return how many pairs of lines between columns cross."""
    place = {name: (column, row) for column, names in enumerate(order) for row, name in enumerate(names)}
    lines = sorted((place[start], place[end]) for start, end in edges if place[start][0] != place[end][0])
    crossed = 0
    for _, beginning in groupby(lines, key=lambda line: line[0][0]):
        rows: list[int] = []
        for _, (_, row) in beginning:
            above = bisect_right(rows, row)
            crossed += len(rows) - above
            rows.insert(above, row)
    return crossed


def _neighbours(columns: Mapping[str, int], edges: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the neighbours of each node, in other columns: those on its left, and those on its right."""
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for start, end in edges:
        if columns[start] != columns[end]:
            left.setdefault(end, []).append(start)
            right.setdefault(start, []).append(end)
    return left, right


def _mean(name: str, rows: Mapping[str, float], neighbours: Mapping[str, Sequence[str]]) -> float:
    """Return the mean row of a node's neighbours on one side; its own, where it has none there."""
    beside = [rows[each] for each in neighbours.get(name, ())]
    return sum(beside) / len(beside) if beside else rows[name]


def _swapped(order: Order, edges: Sequence[Edge]) -> Order:
    best = crossings(order, edges)
    for column in order:
        for row in range(len(column) - 1):
            if best == 0:
                return order
            column[row : row + 2] = reversed(column[row : row + 2])
            after = crossings(order, edges)
            if after < best:
                best = after
            else:
                column[row : row + 2] = reversed(column[row : row + 2])
    return order


def _places(order: Order, nodes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Return the upper left corner of each node, each column in the middle of the drawing's height."""
    known = set(nodes)
    heights = [[HEIGHT if name in known else LANE for name in column] for column in order]
    tall = [sum(column) + SPACE * (len(column) - 1) for column in heights]
    places: dict[str, tuple[float, float]] = {}
    for number, column in enumerate(order):
        y = TOP + (max(tall) - tall[number]) / 2
        for name, height in zip(column, heights[number], strict=True):
            places[name] = (2 + number * (WIDTH + GAP), y)
            y += height + SPACE
    return places


def _heading(column: int, text: str) -> str:
    return (
        f'<text x="{2 + column * (WIDTH + GAP)}" y="18" font-size="13" font-weight="700" fill="{QUIET}" '
        f'font-family="Noto Sans, sans-serif">{escape(text)}</text>'
    )


def _edge(edge: Edge, places: Mapping[str, tuple[float, float]], nodes: Iterable[str]) -> str:
    (x1, y1), (x2, y2) = places[edge[0]], places[edge[1]]
    known = set(nodes)
    middle = [y + (HEIGHT if name in known else LANE) / 2 for name, y in zip(edge, (y1, y2), strict=True)]
    if x1 == x2:
        right, bulge = x1 + WIDTH, x1 + WIDTH + GAP / 2
        path = f"M{right},{middle[0]:.1f} C{bulge},{middle[0]:.1f} {bulge},{middle[1]:.1f} {right},{middle[1]:.1f}"
        if abs(y2 - y1) <= HEIGHT + SPACE:
            path = f"M{x1 + WIDTH / 2},{min(y1, y2) + HEIGHT:.1f} L{x1 + WIDTH / 2},{max(y1, y2):.1f}"
    else:
        start, half = x1 + WIDTH, (x2 - x1 - WIDTH) / 2
        path = (
            f"M{start},{middle[0]:.1f} C{start + half},{middle[0]:.1f} {x2 - half},{middle[1]:.1f} {x2},{middle[1]:.1f}"
        )
    return f'<path aria-hidden="true" fill="none" stroke="{EDGE}" stroke-width="1.5" d="{path}"/>'


def _lane(place: tuple[float, float]) -> str:
    x, y = place[0], place[1] + LANE / 2
    line = f"M{x},{y:.1f} L{x + WIDTH},{y:.1f}"
    return f'<path aria-hidden="true" fill="none" stroke="{EDGE}" stroke-width="1.5" d="{line}"/>'


def _node(node: Node, place: tuple[float, float]) -> str:
    x, y = place
    stroke = f'stroke="{SUSPECT}" stroke-dasharray="5 3"' if node.is_suspect else f'stroke="{LINE}"'
    lines = "".join(
        f'<text x="{x + 8}" y="{y + 17 + 15 * row:.1f}" font-size="12" fill="{INK}" unicode-bidi="isolate" '
        f'font-family="Noto Sans, sans-serif">{escape(line)}</text>'
        for row, line in enumerate(wrapped(node.label))
    )
    foot = (
        f'<text x="{x + 8}" y="{y + HEIGHT - 9:.1f}" font-size="11" fill="{SUSPECT if node.is_suspect else QUIET}" '
        f'font-weight="{700 if node.is_suspect else 400}" font-family="Noto Sans, sans-serif">'
        f"{escape(wrapped(node.foot, 1)[0])}</text>"
    )
    return (
        f'<a href="{escape(node.href)}"><title>{escape(node.whole)}</title>'
        f'<rect x="{x}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="4" fill="{OWN if node.is_own else PAPER}" '
        f'{stroke} stroke-width="{2.5 if node.is_own else 1.5}"/>{lines}{foot}</a>'
    )


def wrapped(text: str, limit: int = LINES) -> list[str]:
    """Break a text into lines that fit a node; what is cut ends with an ellipsis."""
    lines = [""]
    for word in text.split():
        for piece in _pieces(word):
            joined = f"{lines[-1]} {piece}".strip()
            if wide(joined) <= COLUMN_WIDTH:
                lines[-1] = joined
            else:
                lines.append(piece)
    if len(lines) <= limit:
        return lines
    last = lines[limit - 1]
    while wide(last) > COLUMN_WIDTH - 1:
        last = last[:-1]
    return [*lines[: limit - 1], last.rstrip() + "…"]


def wide(text: str) -> int:
    """Return the width of a text in characters: of Chinese characters and the like two, of combining marks none."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _pieces(word: str) -> list[str]:
    """Cut a word longer than a line, so that each piece fits; a very long one no further than is shown."""
    pieces = [""]
    for character in word[: COLUMN_WIDTH * LINES + COLUMN_WIDTH]:
        if wide(pieces[-1] + character) > COLUMN_WIDTH:
            pieces.append("")
        pieces[-1] += character
    return pieces
