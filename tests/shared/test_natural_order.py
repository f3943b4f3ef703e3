"""Names are listed as people count."""

from __future__ import annotations

from shared.projection.natural_order import natural_order


def test_numbers_are_in_their_order() -> None:
    names = ["CED/2022/R10", "CED/2022/R2", "CED/2022/R1", "CED2/2022/R1", "CED/2021/R11", "CED/2022/R100"]
    assert sorted(names, key=natural_order) == [
        "CED/2021/R11", "CED/2022/R1", "CED/2022/R2", "CED/2022/R10", "CED/2022/R100", "CED2/2022/R1",
    ]  # fmt: skip


def test_no_two_names_have_the_same_place() -> None:
    names = ["m1", "m01", "m001", "m1-", "m1.1", "m1.01", "m", "m12345678901", "m1 2"]
    assert len({natural_order(name) for name in names}) == len(names)
