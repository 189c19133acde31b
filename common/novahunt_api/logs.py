"""How the programs that live in a cluster write their logs: JSON lines, or text for people."""

import logging
from datetime import UTC, datetime
from typing import NamedTuple, TextIO

from pythonjsonlogger.json import JsonFormatter

from novahunt_api import subject
from novahunt_api.subject import Subject
from novahunt_api.variables import Variables
from novahunt_contract import environment as env
from novahunt_contract import times


class LogSettings(NamedTuple):
    """How much is logged, and in which form."""

    form: str
    """`json` or `text`."""
    level: str


def read(variables: Variables) -> LogSettings:
    """Read both.

    Raises:
        SettingsError: one can't be used.
    """
    form = variables.choice(env.LOG_FORMAT, "json", "text")
    return LogSettings(form, variables.choice("NOVAHUNT_LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"))


def handler(form: str, stream: TextIO | None = None) -> logging.Handler:
    """Return what writes lines of a form, with the fields of the subject in hand.

    Args:
        form: `json` or `text`.
        stream: In place of standard error.
    """
    found = logging.StreamHandler(stream)
    found.addFilter(_name_subject)
    if form == "json":
        found.setFormatter(
            _JsonFormatter(
                "{asctime}{levelname}{name}{message}",
                style="{",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    else:
        found.setFormatter(_TextFormatter("{asctime} {levelname} {name}: {message}", style="{"))
    return found


def configure(settings: LogSettings, *quiet: str) -> None:
    """Log to standard error; loggers that are to be quiet say nothing below WARNING."""
    logging.basicConfig(level=settings.level, handlers=[handler(settings.form)])
    for logger in quiet:
        logging.getLogger(logger).setLevel(logging.WARNING)


def _name_subject(record: logging.LogRecord) -> bool:
    """Give a record the fields of the subject in hand, but those that it brings itself."""
    for name, value in subject.in_hand()._asdict().items():
        if value is not None and not hasattr(record, name):
            setattr(record, name, value)
    return True


class _Timed(logging.Formatter):
    """Writes the time as collectors do, so that the lines of both can be put in order."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the same
        del datefmt
        return times.to_text(datetime.fromtimestamp(record.created, UTC))


class _JsonFormatter(_Timed, JsonFormatter):
    """One line for each record."""


class _TextFormatter(_Timed):
    """Ends the line, before any trace, with the fields that JSON lines have."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the library's method
        known = {name: getattr(record, name, None) for name in Subject._fields}
        fields = " ".join(f"{name}={value}" for name, value in known.items() if value is not None)
        return f"{super().formatMessage(record)}{f' [{fields}]' if fields else ''}"
