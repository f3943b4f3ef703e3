"""The choices of a field that names a record: all of a short list, the first of a long one."""

from __future__ import annotations

from typing import Any

from tools.console.forms import choices
from tools.console.forms.choices import LIMIT

PROVISIONS = 30


def instruments(count: int) -> dict[str, Any]:
    """Return a page of the list of instruments, of thirty provisions each."""
    items = [
        {
            "state": {
                "registered": {"data": {"instrument": f"syn-{number}", "cite": f"Synthetic {number}"}},
                "provisions": [
                    {"data": {"provision": f"syn-{number}/p{each}", "summary": "Synthetic"}}
                    for each in range(PROVISIONS)
                ],
            }
        }
        for number in range(count)
    ]
    return {"items": items}


def test_a_list_that_ends_is_offered_whole() -> None:
    offered = choices._choices(choices._SOURCES["provision"], instruments(10))
    assert (offered.is_whole, len(offered.choices)) == (True, 10 * PROVISIONS)


def test_of_a_list_that_goes_on_only_the_first_are_offered() -> None:
    offered = choices._choices(choices._SOURCES["provision"], instruments(LIMIT) | {"next": "instrument/syn-199"})
    assert (offered.is_whole, len(offered.choices)) == (False, LIMIT)
    assert offered.holds("syn-0/p0")


def test_fields_that_name_records_of_one_list_share_it() -> None:
    instrument, provision, meeting = (choices._SOURCES[name] for name in ("instrument", "provision", "meeting"))
    assert instrument.address == provision.address != meeting.address
