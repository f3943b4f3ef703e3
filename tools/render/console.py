"""A console for text that others wrote: never markup, its control characters escaped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.console
from rich.segment import Segment

from tools.client.printable import printable_lines


class Console(rich.console.Console):
    """A console that takes every text for data: no markup, no emoji codes, no control characters but line breaks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render(self, *renderable: Any, **options: Any) -> Iterable[Segment]:
        """Render with the control characters of every text escaped."""
        for segment in super().render(*renderable, **options):
            yield segment if segment.control else segment._replace(text=printable_lines(segment.text))
