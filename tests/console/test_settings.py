"""Settings of the console: one that cannot be used is named."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from shared.events.services import SERVICES
from shared.runtime.settings import CannotStart, read
from tools.console.settings import ConsoleSettings

GIVEN: dict[str, Any] = {
    "address": "https://throughline.example.org",
    "services": dict.fromkeys(SERVICES, "http://synthetic"),
    "issuer": "https://issuer.example.org",
    "keys": Fernet.generate_key().decode(),
}


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"address": "http://throughline.example.org"}, "THROUGHLINE_CONSOLE_ADDRESS"),
        ({"address": "https://throughline.example.org/console?a=b"}, "THROUGHLINE_CONSOLE_ADDRESS"),
        ({"address": "throughline"}, "THROUGHLINE_CONSOLE_ADDRESS"),
        ({"time_zone": "Bangkok"}, "THROUGHLINE_CONSOLE_TIME_ZONE"),
        ({"token": "refresh"}, "THROUGHLINE_CONSOLE_TOKEN"),
        ({"services": {"meetings": "http://synthetic"}}, "THROUGHLINE_CONSOLE_SERVICES: .*nominations"),
        ({"keys": "synthetic"}, "THROUGHLINE_CONSOLE_KEYS"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_value(fault: dict[str, Any], named: str) -> None:
    with pytest.raises(CannotStart, match=named) as refused:
        read(ConsoleSettings, **(GIVEN | fault))
    assert GIVEN["keys"] not in str(refused.value)


def test_only_a_console_on_loopback_goes_without_https() -> None:
    assert read(ConsoleSettings, **GIVEN).secure
    assert not read(ConsoleSettings, **(GIVEN | {"address": "http://127.0.0.1:8080"})).secure
