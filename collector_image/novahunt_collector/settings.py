"""All settings of the collector: read once from the environment, checked, and typed from there on.

Beside the names that it shares with the operator (`novahunt_contract.environment`), the collector reads:

| name | default | meaning |
| --- | --- | --- |
| `NOVAHUNT_BACKOFF_BASE_SECONDS` | 1 | the first wait's upper bound; it doubles with each try |
| `NOVAHUNT_BACKOFF_CAP_SECONDS` | 60 | no wait without Retry-After is longer |
| `NOVAHUNT_PATIENCE_SECONDS` | 1800 | total time for one page, throttled or failing, without waits for permits |
| `NOVAHUNT_MAX_FAILURES` | 8 | tries of one page that may fail with 5xx, network errors or unreadable answers |
| `NOVAHUNT_REQUEST_TIMEOUT_SECONDS` | 30 | one request, from connecting to the answer's last byte |
| `NOVAHUNT_STORAGE_PATIENCE_SECONDS` | 300 | total time for one reading or storing, in the folder or at the intake |
| `NOVAHUNT_MAX_OFFSET` | 10000 | the highest offset that is asked for |
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from novahunt_collector.errors import KeyRefusedError, UsageError
from novahunt_contract import environment as names
from novahunt_contract import times
from novahunt_contract.searchhash import Search

BACKOFF_BASE_SECONDS = "NOVAHUNT_BACKOFF_BASE_SECONDS"
BACKOFF_CAP_SECONDS = "NOVAHUNT_BACKOFF_CAP_SECONDS"
PATIENCE_SECONDS = "NOVAHUNT_PATIENCE_SECONDS"
MAX_FAILURES = "NOVAHUNT_MAX_FAILURES"
REQUEST_TIMEOUT_SECONDS = "NOVAHUNT_REQUEST_TIMEOUT_SECONDS"
STORAGE_PATIENCE_SECONDS = "NOVAHUNT_STORAGE_PATIENCE_SECONDS"
MAX_OFFSET = "NOVAHUNT_MAX_OFFSET"

DEFAULT_FOLDER = Path("data/collections")
"""Where documents go without Kubernetes."""

HUNTERS_LARGEST_PAGE = 100
"""The highest `limit` of domain-search (Hunter's API documentation, read 2026-11)."""


class Range(NamedTuple):
    """The smallest and the largest number that a setting may be."""

    low: int
    high: int


PAGE_SIZE_RANGE = Range(1, HUNTERS_LARGEST_PAGE)
MAX_RESULTS_RANGE = Range(1, 1_000_000)
MAX_CREDITS_RANGE = Range(0, 1_000_000_000)
"""0: nothing that costs anything is asked for."""

_KEY = re.compile(r"[\x21-\x7e]{1,256}")
"""What fits into a header field; Hunter's keys are 40 hexadecimal digits."""

_Number = TypeVar("_Number", int, float)


class Hunter(msgspec.Struct, frozen=True):
    """How Hunter is reached and what is asked of it."""

    base_url: str
    api_key: str
    timeout: float
    """Seconds for one request."""
    page_size: int
    max_results: int
    """Addresses of one domain that are collected at most."""
    max_offset: int
    repeats_charged: bool = False
    """Count a repeated request as paid again."""


class Pace(msgspec.Struct, frozen=True):
    """The requests that this process may make by itself, when no intake says how fast to go."""

    per_second: float
    per_minute: float


class Backoff(msgspec.Struct, frozen=True):
    """How long to wait between tries; times in seconds."""

    base: float
    cap: float
    patience: float
    max_failures: int


class Intake(msgspec.Struct, frozen=True):
    """The operator's intake."""

    url: str
    token_file: Path
    budget: bool = False
    """No request that can cost credits is made without the intake's word."""
    authorities: str = ""
    """Certificates as PEM by which the intake's is checked; empty: the public ones."""


class ListFile(msgspec.Struct, frozen=True):
    """A suppression list."""

    name: str
    """How people call it: a Secret and its key, or the file."""
    path: str


class Settings(msgspec.Struct, frozen=True):
    """Everything a process is told, except the domains."""

    hunter: Hunter
    pace: Pace
    backoff: Backoff
    intake: Intake | None
    folder: Path | None
    """None: documents are stored by the intake."""
    folder_was_chosen: bool
    """False: the folder is the default one, and memory may take its place."""
    storage_patience: float
    search: Search
    not_before: datetime | None
    collection: str | None
    run: int
    job_id: str | None
    """None: the collector names its run itself."""
    domain_credits: int | None = None
    """The domain's share of the collection's budget; None: there is none."""
    max_credits: int | None = None
    """Credits that this process may spend, where no intake says so; None: any number."""
    suppression: tuple[ListFile, ...] = ()


def read(environ: Mapping[str, str], *, needs_key: bool = True) -> Settings:
    """Read the settings.

    Args:
        environ: The environment.
        needs_key: False: Hunter is not asked, and a key that is there is not looked at.

    Raises:
        UsageError: a value can't be used; the text names the variable and what it may be.
        KeyRefusedError: the key is there, and can't be one.
    """
    intake = _intake(environ)
    folder, chosen = _folder(environ, intake)
    return Settings(
        hunter=Hunter(
            base_url=_base_url(environ),
            api_key=_api_key(environ) if needs_key else "",
            timeout=_number(environ, REQUEST_TIMEOUT_SECONDS, 30.0, 0.05, 600.0),
            page_size=_number(environ, names.HUNTER_PAGE_SIZE, names.DEFAULT_PAGE_SIZE, *PAGE_SIZE_RANGE),
            max_results=_number(environ, names.HUNTER_MAX_COLLECT, names.DEFAULT_MAX_COLLECT, *MAX_RESULTS_RANGE),
            max_offset=_number(environ, MAX_OFFSET, 10_000, 0, 1_000_000),
            repeats_charged=_flag(environ, names.HUNTER_REPEATS_CHARGED),
        ),
        pace=Pace(
            per_second=_number(
                environ, names.HUNTER_REQUESTS_PER_SECOND, names.DEFAULT_REQUESTS_PER_SECOND, 0.001, 10_000.0
            ),
            per_minute=_number(
                environ, names.HUNTER_REQUESTS_PER_MINUTE, names.DEFAULT_REQUESTS_PER_MINUTE, 0.001, 100_000.0
            ),
        ),
        backoff=Backoff(
            base=_number(environ, BACKOFF_BASE_SECONDS, 1.0, 0.001, 60.0),
            cap=_number(environ, BACKOFF_CAP_SECONDS, 60.0, 0.001, 3600.0),
            patience=_number(environ, PATIENCE_SECONDS, 1800.0, 0.1, 86_400.0),
            max_failures=_number(environ, MAX_FAILURES, 8, 1, 100),
        ),
        intake=intake,
        folder=folder,
        folder_was_chosen=chosen,
        storage_patience=_number(environ, STORAGE_PATIENCE_SECONDS, 300.0, 0.1, 86_400.0),
        search=_search(environ),
        not_before=moment(environ, names.NOT_BEFORE),
        collection=environ.get(names.COLLECTION) or None,
        run=_number(environ, names.RUN, 1, 1, 2**31),
        job_id=environ.get(names.JOB_ID) or None,
        domain_credits=_number(environ, names.DOMAIN_CREDITS, 0, 1, 10**9) or None,
        suppression=_suppression(environ),
    )


def moment(environ: Mapping[str, str], name: str) -> datetime | None:
    """Return the time that a variable holds; None: it is not set.

    Raises:
        UsageError: it holds something else.
    """
    text = environ.get(name, "").strip()
    try:
        return times.from_text(text) if text else None
    except ValueError:
        raise UsageError(f"{name} must be a time like 2026-11-21T12:00:00.000Z: correct or unset it") from None


def _number(environ: Mapping[str, str], name: str, default: _Number, low: _Number, high: _Number) -> _Number:
    text = environ.get(name, "").strip()
    if not text:
        return default
    kind: Callable[[str], _Number] = type(default)
    try:
        value = kind(text)
    except ValueError:
        value = None
    # A NaN is not between any two numbers, so it is refused here as well.
    if value is None or not low <= value <= high:
        noun = "a whole number" if isinstance(default, int) else "a number"
        raise UsageError(f"{name} must be {noun} from {low} to {high}: correct it, or unset it for {default}")
    return value


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "").strip().lower() or "false"
    if text not in ("true", "false"):
        raise UsageError(f"{name} must be true or false: correct it, or unset it for false")
    return text == "true"


def _api_key(environ: Mapping[str, str]) -> str:
    if names.HUNTER_API_KEY not in environ:
        raise UsageError(f"{names.HUNTER_API_KEY} is not set: set it to your key from https://hunter.io/api-keys")
    # Secrets made from files mostly end with a line feed.
    key = environ[names.HUNTER_API_KEY].strip()
    if not _KEY.fullmatch(key):
        raise KeyRefusedError(f"{names.HUNTER_API_KEY} is empty or holds what no key holds: check the Secret")
    return key


def _base_url(environ: Mapping[str, str]) -> str:
    url = environ.get(names.HUNTER_BASE_URL, "").strip() or names.DEFAULT_BASE_URL
    return _plain_url(names.HUNTER_BASE_URL, url, ("https", "http"))


def _plain_url(name: str, url: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    # A user name, a query or a fragment would be a secret in the wrong place, or be lost.
    if not fits or "@" in parts.netloc or parts.query or parts.fragment or re.search(r"[\x00-\x20\x7f]", url):
        raise UsageError(f"{name} must be a URL like {schemes[0]}://host/path, without user name and query")
    return url.rstrip("/")


def _intake(environ: Mapping[str, str]) -> Intake | None:
    url = environ.get(names.INTAKE_URL, "").strip()
    if not url:
        return None
    token_file = environ.get(names.INTAKE_TOKEN_FILE, "")
    if not token_file:
        raise UsageError(
            f"{names.INTAKE_URL} is set and {names.INTAKE_TOKEN_FILE} is not: set it to the file of the pod's token"
        )
    return Intake(
        url=_plain_url(names.INTAKE_URL, url, ("https", "http")),
        token_file=Path(token_file),
        budget=_flag(environ, names.BUDGET),
        authorities=environ.get(names.INTAKE_AUTHORITIES, ""),
    )


def _folder(environ: Mapping[str, str], intake: Intake | None) -> tuple[Path | None, bool]:
    storage = environ.get(names.STORAGE, "")
    if storage != names.STORAGE_INTAKE:
        return Path(storage) if storage else DEFAULT_FOLDER, bool(storage)
    if intake is None:
        raise UsageError(f"{names.STORAGE} is {names.STORAGE_INTAKE}, which needs {names.INTAKE_URL}: set it")
    return None, True


def _search(environ: Mapping[str, str]) -> Search:
    text = environ.get(names.SEARCH, "").strip()
    try:
        return msgspec.json.decode(text, type=Search) if text else Search()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{names.SEARCH} must be JSON like spec.search of a DomainCollection: {error}") from None


def _suppression(environ: Mapping[str, str]) -> tuple[ListFile, ...]:
    text = environ.get(names.SUPPRESSION, "").strip()
    try:
        return msgspec.json.decode(text, type=tuple[ListFile, ...]) if text else ()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f'{names.SUPPRESSION} must be JSON like [{{"name": "my list", "path": "list.txt"}}]: {error}'
        ) from None
