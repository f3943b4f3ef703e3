"""The waits of records, as the exercise in a cluster tells them from the offsets that it watched."""

from __future__ import annotations

import json

from tests.deploy.cluster.delay import of


def printed(*changes: tuple[float, str, int, int]) -> str:
    return "\n".join(map(json.dumps, changes))


def test_a_record_waits_from_its_coming_until_its_offset_is_stored() -> None:
    seen = of(printed((0, "a", 5, 5), (1, "a", 5, 7), (2, "a", 6, 7), (4, "a", 6, 9), (5, "a", 9, 9)))
    assert (seen.records, seen.longest) == (4, 4.0)
    assert seen.median == 1.0


def test_a_record_that_came_and_was_read_between_two_samples_did_not_wait() -> None:
    assert of(printed((0, "a", 5, 5), (1, "a", 8, 8))) == (3, 0.0, 0.0, 0.0)


def test_groups_and_partitions_wait_apart() -> None:
    seen = of(printed((0, "a", 0, 1), (0, "b", 0, 1), (2, "a", 1, 1), (12, "b", 1, 1)))
    assert (seen.records, seen.median, seen.longest) == (2, 12.0, 12.0)


def test_one_that_is_not_read_at_the_end_is_counted_with_what_it_has_waited() -> None:
    assert of(printed((0, "a", 0, 1), (0, "b", 0, 0), (9, "b", 0, 1))).longest == 9.0
