"""Reads typed settings out of the environment, for the programs that live in a cluster."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """An environment variable that can't be used; the text names it and says what it should be."""


class Variables:
    """The environment; each value that is missing or can't be used is a SettingsError."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None) -> str:
        """Return a value without blanks around it; without a default it must be set."""
        value = self._environ.get(name, "").strip()
        if not value and default is None:
            raise SettingsError(f"{name} is not set: the chart sets it, else give it in the environment")
        return value or default or ""

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = self.text(name, str(default))
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"{name} is {text!r}: it must be a whole number") from None
        if not low <= value <= high:
            raise SettingsError(f"{name} is {value}: it must be from {low} to {high}")
        return value

    def flag(self, name: str) -> bool:
        """Return whether it says true; not set: it doesn't."""
        return self.choice(name, "false", "true") == "true"

    def choice(self, name: str, *words: str) -> str:
        """Return one of some words, upper case being the same; the first is the default."""
        value = self.text(name, words[0])
        for word in words:
            if word.lower() == value.lower():
                return word
        raise SettingsError(f"{name} is {value!r}: set {', '.join(words[:-1])} or {words[-1]}")

    def names(self, name: str) -> tuple[str, ...]:
        """Return what stands between commas; not set: nothing."""
        return tuple(part.strip() for part in self._environ.get(name, "").split(",") if part.strip())

    def url(self, name: str, default: str | None = None) -> str:
        """Return an http or https URL without a slash at its end."""
        text = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"{name} is {text!r}: it must be an http or https URL")
        return text
