"""The command line: which domains to collect, how, and what is shown of it."""

import argparse
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from novahunt_collector import domain_lists, settings
from novahunt_collector.errors import UsageError
from novahunt_collector.options import Options
from novahunt_collector.output import Format
from novahunt_contract import __version__, environment

_WIDTH = 100
"""Columns of the help text at most."""

_DESCRIPTION = """\
Collect the business e-mail addresses that Hunter (https://hunter.io) has published for domains,
and store them as data/collections/DOMAIN.json. Run again, it answers from what is stored, and
continues where it was stopped.
"""

_EPILOG = """\
environment:
  HUNTER_API_KEY               your key; needed
  HUNTER_MAX_COLLECT=5000      as --max-results
  HUNTER_PAGE_SIZE=100         as --page-size
  HUNTER_REQUESTS_PER_SECOND=15, HUNTER_REQUESTS_PER_MINUTE=500
                               never faster than this
  HUNTER_BASE_URL=https://api.hunter.io/v2
  HTTPS_PROXY, NO_PROXY        the way out, if it is not direct
  NOVAHUNT_STORAGE=data/collections
                               as --folder
  NOVAHUNT_SEARCH              the filters as JSON, for example {"seniority": ["senior"]}
  NOVAHUNT_LOG_FORMAT=text     or json
  NO_COLOR                     no colours, if it is set

exit codes:
  0 done   1 interrupted   2 called wrongly   10 domain refused   11 key refused
  12 plan's quota used up   13 --max-credits used up   14 request or client refused
  15 throttled for too long   20 Hunter unreachable   21 storage failed
  With several domains it is the code of the first one that failed; 10 and 13 only if no other did.

examples:
  novahunt-collector example.com example.org
  novahunt-collector -f leads.txt --estimate
  novahunt-collector -f leads.txt --max-credits 50 --output csv > leads.csv
  novahunt-collector --sweep --suppress do-not-contact.txt
"""

_VALUE = re.compile(r"[^,\s\x00-\x1f\x7f-\x9f]+( [^,\s\x00-\x1f\x7f-\x9f]+)*")
"""As `spec.search` of a DomainCollection takes it."""

_NAME = re.compile(r"--[a-z][a-z-]{0,30}(?=$|=)|-[a-zA-Z]")
"""Of an option, as far as it is one: an address or a key looks otherwise."""

_QUOTE = re.compile("['\"]")
_LONGEST_VALUE = 64
_DAYS = settings.Range(0, 36_500)
_MOST_DIGITS = 12


class Arguments(msgspec.Struct, frozen=True):
    """What the command line says, with all domains in their one form."""

    domains: tuple[str, ...]
    again: bool = False
    estimate: bool = False
    sweep: bool = False
    older_than: int | None = None
    """Days; a sweep removes what was collected earlier."""
    output: Format | None = None
    quiet: bool = False
    options: Options = Options()
    by_person: bool = True
    """False: the domain was named by the environment, as in a Job."""


def read(arguments: Sequence[str], environ: Mapping[str, str]) -> Arguments:
    """Read the command line; without any domain on it, NOVAHUNT_DOMAIN is taken.

    `--help` and `--version` print and raise SystemExit, as argparse does.

    Raises:
        UsageError: a wrong option, no domain, or some that are none. The text names options or places, and never
            repeats what was given there: it might be a person's address, or a key.
    """
    parser = _parser()
    parsed, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        parser.error(f"no such option: {', '.join(map(_shown, unknown))}")
    if parsed.sweep or parsed.older_than is not None:
        return _sweep(parsed, environ)
    entries = [*domain_lists.of_arguments(parsed.domains), *domain_lists.of_files(parsed.file)]
    by_person = bool(entries or parsed.domains or parsed.file)
    if not by_person and environ.get(environment.DOMAIN):
        entries = [domain_lists.Entry(environment.DOMAIN, environ[environment.DOMAIN])]
    if not entries:
        where = "the files name no domain" if parsed.file else "no domain is given"
        raise UsageError(f"{where}: name one, as in `novahunt-collector example.com`, or set {environment.DOMAIN}")
    return Arguments(
        domains=domain_lists.normalised(entries),
        again=parsed.again,
        estimate=parsed.estimate,
        output=parsed.output,
        quiet=parsed.quiet,
        options=_options(parsed),
        by_person=by_person,
    )


def _sweep(parsed: argparse.Namespace, environ: Mapping[str, str]) -> Arguments:
    if not parsed.sweep:
        raise UsageError("--older-than says what --sweep removes: add --sweep")
    if parsed.domains or parsed.file:
        raise UsageError("--sweep goes through all that is stored: name no domain; a list of --suppress may name some")
    if not parsed.suppress and parsed.older_than is None and not environ.get(environment.SUPPRESSION):
        raise UsageError("--sweep has nothing to go by: add --suppress FILE or --older-than DAYS")
    return Arguments((), sweep=True, older_than=parsed.older_than, quiet=parsed.quiet, options=_options(parsed))


def _options(parsed: argparse.Namespace) -> Options:
    return msgspec.convert({name: getattr(parsed, name) for name in Options.__struct_fields__}, Options)


class _Parser(argparse.ArgumentParser):
    """Reports a wrong option as every other wrong input is reported, with a receipt."""

    def error(self, message: str) -> NoReturn:
        # What argparse quotes is what was given.
        told = _QUOTE.split(message, maxsplit=1)[0].rstrip(" :")
        raise UsageError(f"{told}: see `{self.prog} --help`")


def _shown(unknown: str) -> str:
    """Return of an argument that is no option of ours what can't be a value."""
    name = _NAME.match(unknown)
    return name.group() if name is not None else "one that looks like none"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal, up to a width that reads well."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=min(_WIDTH, shutil.get_terminal_size().columns))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="novahunt-collector",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "domains", metavar="DOMAIN", nargs="*", help="a domain or a URL in it; several are collected in turn"
    )
    parser.add_argument(
        "-f",
        "--file",
        metavar="FILE",
        action="append",
        default=[],
        help="a list with one domain a line, # starts a comment; - is standard input; can be repeated",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_spending(parser)
    _add_filters(parser)
    _add_keeping(parser)
    _add_showing(parser)
    return parser


def _add_spending(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it may cost")
    group.add_argument(
        "--estimate",
        action="store_true",
        help="only show how many addresses Hunter has and what they would cost, at most; this is free",
    )
    group.add_argument(
        "--max-credits",
        metavar="N",
        type=_whole(settings.MAX_CREDITS_RANGE),
        help="spend at most N credits in this run, over all domains",
    )
    group.add_argument(
        "--max-results",
        metavar="N",
        type=_whole(settings.MAX_RESULTS_RANGE),
        help="addresses of one domain at most; 10 of them cost one credit (HUNTER_MAX_COLLECT, 5000)",
    )
    group.add_argument(
        "--page-size",
        metavar="N",
        type=_whole(settings.PAGE_SIZE_RANGE),
        help="addresses per request, 1 to 100; multiples of 10 waste no credits (HUNTER_PAGE_SIZE, 100)",
    )
    group.add_argument(
        "--again",
        action="store_true",
        help="ask Hunter, and perhaps pay, even if the domain was collected with the same filters before",
    )


def _add_filters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "filters", "Comma-separated, or given several times. Each takes the place of the one in NOVAHUNT_SEARCH."
    )
    group.add_argument("--type", choices=("personal", "generic"), help="only persons' or only role addresses")
    for option, name, example in (
        ("--seniority", "seniority", "junior, senior, executive"),
        ("--department", "department", "it, sales, executive, …"),
        ("--required-field", "required_fields", "full_name, position, phone_number"),
        ("--verification-status", "verification_status", "valid, accept_all, unknown"),
    ):
        group.add_argument(option, dest=name, metavar="VALUE", action=_Extend, type=_values, help=example)


def _add_keeping(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what must not be kept")
    group.add_argument(
        "--suppress",
        metavar="FILE",
        action="append",
        default=[],
        help="a list of what is never stored: addresses, @domains and domains, one a line; can be repeated",
    )
    group.add_argument(
        "--sweep",
        action="store_true",
        help="collect nothing, but remove from what is stored whom the lists name",
    )
    group.add_argument(
        "--older-than",
        metavar="DAYS",
        type=_whole(_DAYS),
        help="with --sweep: also remove what was collected more than DAYS days ago",
    )


def _add_showing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is stored and shown")
    group.add_argument(
        "--folder", metavar="FOLDER", type=Path, help="where documents go (NOVAHUNT_STORAGE, data/collections)"
    )
    group.add_argument(
        "--output",
        choices=tuple(Format),
        type=Format,
        help="also print to standard output: all documents as one JSON array, one address a line as JSON, or a "
        "CSV table",
    )
    group.add_argument("--quiet", "-q", action="store_true", help="say nothing but warnings and errors")


class _Extend(argparse.Action):
    """Adds the values of each time that an option is given to those before."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _option: str | None = None,
    ) -> None:
        before: tuple[str, ...] = getattr(namespace, self.dest) or ()
        added: tuple[str, ...] = values if isinstance(values, tuple) else ()
        setattr(namespace, self.dest, (*before, *added))


def _whole(bounds: settings.Range) -> Callable[[str], int]:
    """Return a reader of whole numbers; what it says of others does not repeat them."""

    def read_number(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and bounds.low <= int(text) <= bounds.high:
            return int(text)
        raise argparse.ArgumentTypeError(f"it must be a whole number from {bounds.low} to {bounds.high}")

    return read_number


def _values(text: str) -> tuple[str, ...]:
    values = tuple(value.strip() for value in text.split(","))
    if all(_VALUE.fullmatch(value) and len(value) <= _LONGEST_VALUE for value in values):
        return values
    raise argparse.ArgumentTypeError("it must be one or more words, separated by commas")
