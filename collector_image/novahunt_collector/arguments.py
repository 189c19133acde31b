"""The command line: which domains to collect, and whether again."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from novahunt_collector.errors import UsageError
from novahunt_contract import __version__, domains, environment

_DESCRIPTION = """\
Collect the business e-mail addresses that Hunter (https://hunter.io) has published for a domain,
and store them as data/collections/DOMAIN.json.
"""

_EPILOG = """\
environment:
  HUNTER_API_KEY               your key; needed
  HUNTER_MAX_COLLECT=5000      addresses of one domain at most; 10 of them cost one credit
  HUNTER_PAGE_SIZE=100         addresses per request, 1 to 100; multiples of 10 waste no credits
  HUNTER_REQUESTS_PER_SECOND=15, HUNTER_REQUESTS_PER_MINUTE=500
                               never faster than this
  HUNTER_BASE_URL=https://api.hunter.io/v2
  HTTPS_PROXY, NO_PROXY        the way out, if it is not direct
  NOVAHUNT_STORAGE=data/collections
                               folder of the documents
  NOVAHUNT_SEARCH              filters as JSON, for example {"type": "personal", "seniority": ["senior"]}
  NOVAHUNT_LOG_FORMAT=text     or json

exit codes:
  0 done   2 called wrongly   10 domain refused   11 key refused   12 plan's quota used up
  14 request or client refused   20 Hunter unreachable   21 storage failed   1 interrupted
"""


class Arguments(msgspec.Struct, frozen=True):
    """What the command line says, with all domains in their one form."""

    domains: tuple[str, ...]
    again: bool


def read(arguments: Sequence[str], environ: Mapping[str, str]) -> Arguments:
    """Read the command line; without any domain on it, NOVAHUNT_DOMAIN is taken.

    `--help` and `--version` print and raise SystemExit, as argparse does.

    Raises:
        UsageError: a wrong option, no domain, or one that is none. The text names its place and never repeats it:
            it might be a person's address.
    """
    parsed = _parser().parse_args(arguments)
    entries = [(f"argument {number}", entry) for number, entry in enumerate(parsed.domains, start=1)]
    if not entries and environ.get(environment.DOMAIN):
        entries = [(environment.DOMAIN, environ[environment.DOMAIN])]
    if not entries:
        raise UsageError(
            f"no domain is given: name one, as in `novahunt-collector example.com`, or set {environment.DOMAIN}"
        )
    return Arguments(domains=tuple(dict.fromkeys(_domain(*entry) for entry in entries)), again=parsed.again)


def _domain(place: str, entry: str) -> str:
    try:
        return domains.normalise(entry)
    except domains.NotADomainError as error:
        raise UsageError(f"{place} is no domain: {error}. Give a domain such as example.com") from None


class _Parser(argparse.ArgumentParser):
    """Reports a wrong option as every other wrong input is reported, with a receipt."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}: see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="novahunt-collector",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "domains", metavar="DOMAIN", nargs="*", help="a domain or a URL in it; several are collected in turn"
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="ask Hunter, and perhaps pay, even if the domain was collected with the same filters before",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser
