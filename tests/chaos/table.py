"""The kill table, as Markdown: what each victim's kills came to, and at which steps they were. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from chaos.course import Played
from chaos.judging import Verdict

_COLUMNS = ("kills", "lost", "doubled", "paid twice", "beyond a limit", "left behind", "stuck", "slowest recovery")


def table(played: Sequence[Played]) -> list[str]:
    """Return the lines: a row for each victim, and then one for each victim and step."""
    victims = _grouped((one.victim, one) for one in played)
    lines = _head("victim", _COLUMNS)
    lines += [_row(victim, ones) for victim, ones in victims.items()]
    lines.append(_row("**all**", played))
    lines += ["", *_head("victim | step", _COLUMNS)]
    lines += [
        _row(f"{victim} | {step}", ones)
        for victim, all_ones in victims.items()
        for step, ones in _grouped((one.step, one) for one in all_ones).items()
    ]
    return lines


def problems(played: Iterable[Played]) -> list[str]:
    """Return all that is wrong, with what happened on the way."""
    return [
        line
        for one in played
        if one.verdict.words
        for line in (f"{one.victim}, {one.step}: {'; '.join(one.verdict.words)}", *(f"    {word}" for word in one.told))
    ]


def _head(first: str, columns: Sequence[str]) -> list[str]:
    names = first.split(" | ")
    return [f"| {' | '.join([*names, *columns])} |", "|" + "---|" * len(names) + "--:|" * len(columns)]


def _row(name: str, ones: Sequence[Played]) -> str:
    cells = [
        sum(one.kills for one in ones),
        *(sum(len(words) for words in kind) for kind in zip(*(_kinds(one.verdict) for one in ones), strict=True)),
        f"{max(one.seconds for one in ones):.0f} s",
    ]
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _kinds(verdict: Verdict) -> tuple[list[str], ...]:
    return verdict.lost, verdict.doubled, verdict.paid_twice, verdict.beyond, verdict.left, verdict.stuck


def _grouped(pairs: Iterable[tuple[str, Played]]) -> Mapping[str, list[Played]]:
    """Return what belongs together, in the order of coming."""
    found: defaultdict[str, list[Played]] = defaultdict(list)
    for name, one in pairs:
        found[name].append(one)
    return found
