"""Schemathesis against the four OpenAPI documents: whatever it makes up is answered, and never by a fault of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tests.http.asking import Caller
from tools.local.stack import ALL_FOUR, Stack

pytestmark = [pytest.mark.servers, pytest.mark.drill]
EXAMPLES = 40


@pytest.mark.parametrize("service", ALL_FOUR)
def test_no_hostile_input_is_answered_by_a_fault_of_ours(
    service: str, stack: Stack, caller: Callable[..., Caller]
) -> None:
    document = schemathesis.openapi.from_url(f"{stack.urls[service]}/openapi.json")
    token, statuses = caller().token, Counter[int]()

    @given(st.one_of(*(document.as_strategy(mode) for mode in (GenerationMode.NEGATIVE, GenerationMode.POSITIVE))))
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def sent(case: Case) -> None:
        _impatient(case)
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, f"{case.method} {case.path}: {answer.text}"

    sent()
    assert statuses.total() >= EXAMPLES
    assert statuses[401] < EXAMPLES / 2, statuses
    assert statuses[422] >= EXAMPLES / 20, statuses
    assert statuses[200] > 0, statuses


def _impatient(case: Case) -> None:
    """Shorten a valid wait."""
    query = case.query if isinstance(case.query, dict) else {}
    if isinstance(wait := query.get("wait"), int | float):
        query["wait"] = min(wait, 0.05)
