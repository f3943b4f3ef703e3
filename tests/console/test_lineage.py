"""The drawing of a chain: rows that cross little, text that is data, colours that can be read."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest

from tests.console.contrast import contrast
from tools.console.trace import lineage
from tools.console.trace.lineage import Node, crossings, drawing, ordered, with_lanes, wrapped

COLUMNS = ("Mandates", "Work", "Recommendation", "Committee", "What followed")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</title><script>alert(1)</script> & "quoted" \u202egnp.exe\u202c ' + "x" * 20_000


def node(name: str, column: int, label: str = "Synthetic", **more: bool) -> Node:
    return Node(name, column, label, "live, verified", f"{label}: live, verified", f"#s-{name}", **more)


def a_chain(count: int) -> tuple[list[Node], list[tuple[str, str]]]:
    """Return a chain of this many nodes, each beside the recommendation leading to it or from it."""
    nodes = [node("own", 2, is_own=True), *(node(f"n{index}", (0, 1, 3, 4)[index % 4]) for index in range(count - 1))]
    edges = [(each.name, "own") if each.column < 2 else ("own", each.name) for each in nodes if each.name != "own"]
    return nodes, edges


def svg_of(nodes: list[Node], edges: list[tuple[str, str]]) -> ET.Element:
    return ET.fromstring(drawing(nodes, edges, COLUMNS, "Chain", "Its steps"))  # noqa: S314 - our own text


@pytest.mark.parametrize("count", [1, 5, 10, 30, 60])
def test_every_node_is_drawn_once_as_a_link_and_none_lies_on_another(count: int):
    nodes, edges = a_chain(count)
    svg = svg_of(nodes, edges)
    links = svg.findall(f"{SVG}a")
    assert sorted(link.get("href", "") for link in links) == sorted(each.href for each in nodes)
    boxes = [link.find(f"{SVG}rect") for link in links]
    corners = {(float(box.get("x")), float(box.get("y"))) for box in boxes}  # type: ignore[union-attr, arg-type]
    assert len(corners) == count
    for x, y in corners:
        assert not any(x == other_x and 0 < abs(y - other_y) < lineage.HEIGHT for other_x, other_y in corners)
        assert y + lineage.HEIGHT <= float(svg.get("height", "0"))


@pytest.mark.parametrize("count", [5, 10, 30, 60])
def test_a_chain_of_one_recommendation_has_no_crossing(count: int):
    nodes, edges = a_chain(count)
    columns, led = with_lanes({each.name: each.column for each in nodes}, edges)
    assert crossings(ordered(columns, led, 5), led) == 0


def test_what_passes_a_column_by_is_led_through_it_once():
    columns, edges = with_lanes({"a": 0, "b": 0, "w": 1, "own": 2}, [("a", "own"), ("b", "own"), ("w", "own")])
    lane = "lane 1 own"
    assert columns[lane] == 1
    assert sorted(edges) == [("a", lane), ("b", lane), (lane, "own"), ("w", "own")]


def test_the_crossings_are_those_of_each_pair_of_lines():
    chance = random.Random(17)
    for _ in range(50):
        order = [[f"{column} {row}" for row in range(chance.randint(1, 6))] for column in range(3)]
        led = [(start, end) for left, right in pairwise(order) for start in left for end in right]
        edges = chance.sample(led, chance.randint(0, len(led)))
        row = {name: number for column in order for number, name in enumerate(column)}
        pairs = [(one, other) for one, other in combinations(edges, 2) if one[0][0] == other[0][0]]
        crossed = [(row[a] - row[c]) * (row[b] - row[d]) < 0 for (a, b), (c, d) in pairs]
        assert crossings(order, edges) == sum(crossed)


def test_rows_are_ordered_so_that_lines_cross_less():
    columns = {**{f"a{n}": 0 for n in range(8)}, **{f"b{n}": 1 for n in range(8)}}
    shuffled = random.Random(17).sample(range(8), 8)
    edges = [(f"a{n}", f"b{other}") for n, other in enumerate(shuffled)]
    before = [[name for name, own in columns.items() if own == column] for column in (0, 1)]
    assert crossings(before, edges) > 0
    assert crossings(ordered(columns, edges, 2), edges) == 0


def test_neighbours_are_swapped_where_sweeps_alone_leave_a_crossing():
    edges = [("a", "y"), ("b", "x")]
    assert crossings([["a", "b"], ["x", "y"]], edges) == 1
    assert crossings(lineage._swapped([["a", "b"], ["x", "y"]], edges), edges) == 0


def test_texts_of_people_are_data_cut_in_the_box_and_whole_in_the_title():
    svg = svg_of([node("own", 2, HOSTILE, is_own=True)], [])
    [link] = svg.findall(f"{SVG}a")
    assert link.findtext(f"{SVG}title") == f"{HOSTILE}: live, verified"
    shown = [text.text or "" for text in link.findall(f"{SVG}text")]
    assert all(lineage.wide(line) <= lineage.COLUMN_WIDTH for line in shown)
    assert len(shown) == lineage.LINES + 1
    assert shown[lineage.LINES - 1].endswith("…")
    assert not list(svg.iter(f"{SVG}script"))


def test_a_suspect_step_shows_by_dashes_and_words_not_by_colour_alone():
    suspect = Node("m", 0, "Synthetic", "suspect, verified", "Synthetic: suspect, verified", "#m", is_suspect=True)
    [link] = svg_of([suspect], []).findall(f"{SVG}a")
    assert [box.get("stroke-dasharray") for box in link.findall(f"{SVG}rect")] == ["5 3"]
    assert "suspect" in "".join(link.itertext())


def test_the_drawing_is_a_group_with_a_name_whose_lines_are_hidden_from_readers():
    svg = svg_of(*a_chain(10))
    assert svg.get("role") == "group"
    named = {element.get("id") for element in svg.iter() if element.get("id")}
    assert set((svg.get("aria-labelledby") or "").split()) <= named
    assert all(path.get("aria-hidden") == "true" for path in svg.iter(f"{SVG}path"))
    assert not any("style" in element.attrib or "class" in element.attrib for element in svg.iter())


@pytest.mark.parametrize("paper", [lineage.PAPER, lineage.OWN])
@pytest.mark.parametrize("ink", [lineage.INK, lineage.QUIET, lineage.SUSPECT])
def test_text_can_be_read_on_each_ground(ink: str, paper: str):
    assert contrast(ink, paper) >= 4.5


@pytest.mark.parametrize("line", [lineage.LINE, lineage.SUSPECT, lineage.EDGE])
def test_lines_stand_out_from_the_paper(line: str):
    assert contrast(line, lineage.PAPER) >= 3


def test_wide_characters_take_the_place_of_two():
    assert wrapped("清" * 15) == ["清" * 10, "清" * 5]
    assert wrapped("") == [""]
