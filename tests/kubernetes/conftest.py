"""One worker renders and checks all of deploy/kubernetes."""

from __future__ import annotations

import pytest

from tests.kubernetes.rendering import VARIANTS, Rendered, rendered


@pytest.fixture(params=VARIANTS)
def objects(request: pytest.FixtureRequest) -> Rendered:
    """Each overlay, plain and with options."""
    return rendered(request.param)
