"""What a person is shown: sums in words, and bars only where they can be seen."""

import builtins
import io
import logging
from collections.abc import Mapping

import pytest

from novahunt_collector.display import Display, Totals, of_terminal
from novahunt_collector.progress_bars import Bars
from novahunt_contract.intake import Progress
from novahunt_contract.outcomes import ENDINGS, Reason
from novahunt_contract.receipt import Receipt


def receipt(reason: Reason, items: int = 0, cost: int = 0) -> Receipt:
    return Receipt("a.example", 1, ENDINGS[reason].outcome, reason, "collect-1", items=items, credits=cost)


def test_every_end_is_counted_once_and_what_is_left_is_said() -> None:
    totals = Totals(wanted=9)
    for one in (
        receipt(Reason.COLLECTED, 1200, 120),
        receipt(Reason.NOTHING_FOUND),
        receipt(Reason.SUPPRESSED),
        receipt(Reason.MAX_RESULTS, 300, 30),
        receipt(Reason.DOMAIN_REFUSED),
        receipt(Reason.QUOTA_EXHAUSTED, 0, 7),
        receipt(Reason.INTERRUPTED, 0, 3),
    ):
        totals.add(one)
    assert totals.sentence() == (
        "9 domains: 1 collected, 2 empty, 1 truncated, 2 failed, 1 stopped, 2 not tried; 1,500 addresses, 160 credits"
    )
    assert totals.untried == 2


def test_one_of_a_kind_is_said_as_one() -> None:
    totals = Totals(wanted=1)
    totals.add(receipt(Reason.COLLECTED, 1, 1))
    assert totals.sentence() == "1 domain: 1 collected; 1 address, 1 credit"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


MOVING = {"TERM": "xterm-256color"}


def test_a_terminal_gets_bars() -> None:
    assert isinstance(of_terminal(Terminal(), MOVING), Bars)


@pytest.mark.parametrize(
    ("stream", "environ"),
    [
        (io.StringIO(), MOVING),
        (None, MOVING),
        (Terminal(), {"TERM": "dumb"}),
        (Terminal(), {}),
        (Terminal(), {**MOVING, "NOVAHUNT_LOG_FORMAT": "json"}),
    ],
)
def test_everything_else_gets_plain_lines(stream: io.StringIO | None, environ: Mapping[str, str]) -> None:
    assert type(of_terminal(stream, environ)) is Display


def test_without_rich_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_rich(name: str, *rest: object, **more: object) -> object:
        if name.startswith(("rich", "novahunt_collector.progress_bars")):
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_rich)
    assert type(of_terminal(Terminal(), MOVING)) is Display


class Gone(Terminal):
    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


def test_work_goes_on_when_its_terminal_has_gone() -> None:
    root = logging.getLogger()
    handlers = list(root.handlers)
    bars = Bars(Gone())
    try:
        bars.open(["a.example", "b.example"])
        bars.begun("a.example")
        bars.asks(Progress(percent=5, emails=1, requests=1), 1)
        root.warning("nobody reads this")
        bars.ended(receipt(Reason.COLLECTED, 1, 1))
        bars.say("nor this")
    finally:
        bars.close()
        root.handlers[:] = handlers
