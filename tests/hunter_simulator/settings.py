"""What can be set: the world's rules, the keys, and the file that holds a whole configuration."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hunter_simulator.domains import Domain
from hunter_simulator.faults import Fault
from hunter_simulator.listing import Listing
from hunter_simulator.plans import Plan
from hunter_simulator.problems import ErrorForm
from hunter_simulator.windows import Rates

DEFAULT_KEY = "demo-key"
"""The key that is valid where nothing else is configured."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules of the simulated world; the defaults are those that Hunter documents."""

    per_second: Annotated[int, msgspec.Meta(ge=1)] = 15
    per_minute: Annotated[int, msgspec.Meta(ge=1)] = 500
    refused_count: bool = False
    """Requests refused for their pace take places in the windows too."""
    free_calls_apart: bool = False
    """email-count and account have windows of their own; else they share those of domain-search."""
    throttled_status: Literal[403, 429] = 403
    """Hunter's documentation says 403; Hunter's newer client expects 429."""
    throttled_retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Seconds of a Retry-After header with these answers; Hunter promises none."""
    used_up_status: Literal[429, 402] = 429
    """Hunter's documentation says 429; Hunter's newer client expects 402."""
    error_form: ErrorForm = "errors"
    repeats_cost: bool = False
    """The same request again in a billing period is charged again; Hunter documents that it is free."""
    account_names_credits: bool = True
    """The account's answer holds `credits` beside searches and verifications."""
    listing: Listing = Listing()
    """Of the domains that have none of their own."""
    log_size: Annotated[int, msgspec.Meta(ge=0)] = 20_000
    """The newest requests that the report's log keeps."""

    @property
    def rates(self) -> Rates:
        """Both rate windows."""
        return Rates(self.per_second, self.per_minute)


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API key, with the plan of its account."""

    key: str
    plan: Plan = Plan()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a simulator starts with, and goes back to when it is reset."""

    settings: Settings = Settings()
    keys: tuple[Key, ...] = (Key(DEFAULT_KEY),)
    domains: dict[str, Domain] = {}
    faults: tuple[Fault, ...] = ()


def read_config(path: Path) -> Config:
    """Read a configuration from a JSON file, or a YAML file where its name ends in .yaml or .yml.

    Raises:
        OSError: the file can't be read.
        msgspec.DecodeError: it holds no configuration; the message says where.
    """
    content = path.read_bytes()
    if path.suffix in {".yaml", ".yml"}:
        return msgspec.yaml.decode(content, type=Config)
    return msgspec.json.decode(content, type=Config)
