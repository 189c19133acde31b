"""Hunter's free counts of domains: what they would cost, and how a person reads them."""

from collections.abc import Iterator, Sequence

import msgspec

from novahunt_collector.answers import EmailCount
from novahunt_collector.output import Format, Frame, Output, frame_of
from novahunt_contract import credits as prices
from novahunt_contract import tables

REFUSED = "refused by Hunter"
SUPPRESSED = "suppressed"


class Count(msgspec.Struct, frozen=True):
    """What Hunter has for one domain, and what of it would be collected."""

    domain: str
    total: int
    """Addresses that Hunter has."""
    personal: int | None
    generic: int | None
    emails: int
    """Addresses that would be collected at most."""
    credits: int
    """What they would cost."""
    note: str = ""


class Wish(msgspec.Struct, frozen=True):
    """What would be collected of what is there."""

    max_results: int
    page_size: int
    type: str | None
    """`personal`, `generic`; None: both. The one filter that Hunter's counts know."""


def counted(domain: str, count: EmailCount, wish: Wish) -> Count:
    """Return what Hunter's answer means for what would be collected."""
    of_type = {"personal": count.personal, "generic": count.generic}.get(wish.type or "")
    there = count.total if of_type is None else of_type
    emails = min(there, wish.max_results)
    return Count(
        domain=domain,
        total=count.total,
        personal=count.personal,
        generic=count.generic,
        emails=emails,
        credits=prices.of_domain(emails, wish.page_size),
    )


def nothing(domain: str, note: str) -> Count:
    """Return the count of a domain of which nothing would be collected, for this reason."""
    return Count(domain=domain, total=0, personal=0, generic=0, emails=0, credits=0, note=note)


class CountOutput:
    """Counts on standard output: lines for people at the end, or a machine's format as they come."""

    def __init__(self, chosen: Format | None, domains: Sequence[str]) -> None:
        """Take the format, None for people; and all domains, whose longest gives the first column its width."""
        self._format = chosen
        self._output = Output(Frame() if chosen is None else frame_of(chosen, tables.record(Count.__struct_fields__)))
        self._width = max(map(len, ("domain", *domains)))
        self._counts: list[Count] = []

    def add(self, count: Count) -> None:
        """Take the next domain's count.

        Raises:
            CollectorError: standard output can't be written.
        """
        if self._format is None:
            self._counts.append(count)
        else:
            self._output.add(_of_count(self._format, count))

    def close(self) -> None:
        """Write what is left.

        Raises:
            CollectorError: standard output can't be written.
        """
        if self._format is None:
            self._output.add(f"{line}\n".encode() for line in self._lines())
        self._output.close()

    def _lines(self) -> Iterator[str]:
        yield self._line("domain", "at Hunter", "to collect", "credits")
        for count in self._counts:
            cells = (count.domain, f"{count.total:,}", f"{count.emails:,}", f"{count.credits:,}")
            yield self._line(*cells, count.note)
        if len(self._counts) > 1:
            total, emails, cost = (
                sum(values)
                for values in zip(*((count.total, count.emails, count.credits) for count in self._counts), strict=True)
            )
            yield self._line("all", f"{total:,}", f"{emails:,}", f"{cost:,}")

    def _line(self, domain: str, total: str, emails: str, cost: str, note: str = "") -> str:
        return f"{domain:<{self._width}}  {total:>9}  {emails:>10}  {cost:>7}  {note}".rstrip()


def _of_count(chosen: Format, count: Count) -> Iterator[bytes]:
    if chosen is Format.CSV:
        yield tables.record(msgspec.structs.astuple(count)).encode()
    else:
        yield msgspec.json.encode(count) + (b"" if chosen is Format.JSON else b"\n")
