"""A progress bar on a terminal, and nothing elsewhere; Ctrl-C says how far it came."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.client.errors import StoppedByUser
from tools.client.printable import printable

Advance = Callable[[int, int], None]


@contextmanager
def bar(says: str) -> Iterator[Advance]:
    """Show the progress of a long task; call the yielded function with (done, of). Raises StoppedByUser."""
    reached = [0, 0]
    try:
        with _shown(printable(says)) as show:

            def advance(done: int, of: int) -> None:
                reached[:] = done, of
                show(done, of)

            yield advance
    except KeyboardInterrupt:
        after = f" after {reached[0]} of {reached[1]}" if reached[1] else ""
        raise StoppedByUser(f"{says}: interrupted{after}.") from None


@contextmanager
def _shown(says: str) -> Iterator[Advance]:
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(says, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
