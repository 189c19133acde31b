"""Shows collections at work: bars by rich on a terminal, else a line of text for each change."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from novahunt_api.domaincollections import Collection
from novahunt_cli import printing, showing
from novahunt_cli.following import Seen
from novahunt_client.explain import waits_for

_NAME_WIDTH = 32


class Display:
    """The plain one: what is new of each collection, as a line on standard error."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def show(self, seen: Seen) -> None:
        """Show them as they are now."""
        for key, collection in seen.items():
            line = _line(collection)
            if self._said.get(key) != line:
                self._said[key] = line
                printing.say(f"{collection.key.name}: {line}")


class Bars(Display):
    """A bar for each collection and for each of its running domains, and what it waits for."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    def show(self, seen: Seen) -> None:
        """Draw them anew."""
        self._live.update(render(seen), refresh=True)


def render(seen: Seen) -> Group:
    """Return the picture."""
    bars = Progress(
        TextColumn(f"{{task.description:<{_NAME_WIDTH}}}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    notes: list[Text] = []
    for collection in seen.values():
        name = collection.key.name
        bars.add_task(
            name[:_NAME_WIDTH], total=100, completed=collection.status.progress or 0, detail=_detail(collection)
        )
        for running in collection.status.running:
            bars.add_task(
                f"  {running.domain}"[:_NAME_WIDTH],
                total=100,
                completed=running.percent,
                detail=showing.counted(running.emails, "address", "es"),
            )
        waits = waits_for(collection)
        if waits:
            notes.append(Text(f"{name} waits for {waits}", style="yellow"))
    return Group(bars, *notes)


@contextmanager
def display() -> Iterator[Display]:
    """Show on standard error for as long as the block lasts; the terminal is given back at its end."""
    if not printing.colourful(sys.stderr):
        yield Display()
        return
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        yield Bars(live)


def _detail(collection: Collection) -> str:
    status = collection.status
    left = showing.remaining(status.estimated_completion_time, datetime.now(UTC))
    parts = [
        f"{status.done} domains" if status.done else "",
        showing.counted(status.emails, "address", "es") if status.emails is not None else "",
        showing.counted(status.credits.used, "credit") if status.credits is not None else "",
        status.rate or "",
        f"{left} left" if left else "",
    ]
    return ", ".join(part for part in parts if part) or "the operator has not seen it yet"


def _line(collection: Collection) -> str:
    waits = waits_for(collection)
    return _detail(collection) + (f"; waits for {waits}" if waits else "")
