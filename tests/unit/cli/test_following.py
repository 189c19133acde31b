"""When a collection that is waited for has come to an end, and what a terminal shows of it."""

import io
from typing import Any

import pytest
from rich.console import Console

from novahunt_api import domaincollections
from novahunt_api.domaincollections import Collection
from novahunt_cli import bars, following
from novahunt_cli.following import Ending


def collection(*holds: str, generation: int = 1, **status: Any) -> Collection:
    conditions = [{"type": kind, "status": "True", "reason": "Why", "message": "because"} for kind in holds]
    whole = {"observedGeneration": 1, "conditions": conditions, **status}
    return domaincollections.read({"metadata": {"name": "leads", "generation": generation}, "status": whole})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (collection("Ready"), Ending.DONE),
        (collection("Ready", domains={"failed": 2}), Ending.SOME_FAILED),
        (collection("Ready", generation=2), Ending.OPEN),
        (collection("Reconciling"), Ending.OPEN),
        (collection("Stalled", "Waiting"), Ending.STALLED),
        (collection("Suspended"), Ending.SUSPENDED),
        (collection("Suspended", domains={"running": 1}), Ending.OPEN),
    ],
)
def test_an_end_is_told_from_the_conditions(found: Collection, expected: Ending) -> None:
    assert following.ending(found) is expected


def test_the_picture_shows_the_collection_its_running_domains_and_what_it_waits_for() -> None:
    running = [{"domain": "small.example", "percent": 40, "emails": 1}]
    counts = {"used": 12}
    found = collection("Waiting", done="1/2", progress=70, emails=1200, credits=counts, rate="3/min", running=running)
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(bars.render({"/leads": found}))
    text = console.export_text()
    for part in ("leads", "70%", "1/2 domains, 1,200 addresses, 12 credits, 3/min", "small.example", "40%"):
        assert part in text
    assert "leads waits for Why: because" in text


def test_without_a_terminal_each_change_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = bars.Display()
    for done in ("0/2", "0/2", "2/2"):
        display.show({"/leads": collection(done=done)})
    assert capsys.readouterr().err == "leads: 0/2 domains\nleads: 2/2 domains\n"
