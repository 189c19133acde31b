"""A stand-in for Hunter (hunter.io) over HTTP, as strict as Hunter's documentation says Hunter is."""

from hunter_simulator.domains import Domain
from hunter_simulator.faults import (
    AnswerStatus,
    BrokenJson,
    CutBody,
    EmptyBody,
    Fault,
    HugeBody,
    Proceed,
    Redirect,
    Reset,
    WrongTypes,
)
from hunter_simulator.hunter import TEST_KEY
from hunter_simulator.listing import Listing
from hunter_simulator.people import MAX_SIZE, Person, Source, Verification, truth
from hunter_simulator.plans import Plan, price
from hunter_simulator.report import DomainReport, Entry, KeyReport, Report, fingerprint
from hunter_simulator.running import running_simulator
from hunter_simulator.search import Filters, found, read_filters
from hunter_simulator.settings import DEFAULT_KEY, Config, Key, Settings, read_config
from hunter_simulator.simulator import Simulator

__all__ = [
    "DEFAULT_KEY",
    "MAX_SIZE",
    "TEST_KEY",
    "AnswerStatus",
    "BrokenJson",
    "Config",
    "CutBody",
    "Domain",
    "DomainReport",
    "EmptyBody",
    "Entry",
    "Fault",
    "Filters",
    "HugeBody",
    "Key",
    "KeyReport",
    "Listing",
    "Person",
    "Plan",
    "Proceed",
    "Redirect",
    "Report",
    "Reset",
    "Settings",
    "Simulator",
    "Source",
    "Verification",
    "WrongTypes",
    "fingerprint",
    "found",
    "price",
    "read_config",
    "read_filters",
    "running_simulator",
    "truth",
]
