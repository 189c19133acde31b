"""Decides which code a process ends with whose domains ended differently. Pure."""

from novahunt_contract.exitcodes import ExitCode

_MILD = (ExitCode.DONE, ExitCode.DOMAIN_REFUSED, ExitCode.BUDGET_REFUSED)
"""In rising order: what one domain, or the credits that were given, may well end with. All else needs somebody."""


def combined(before: ExitCode, code: ExitCode) -> ExitCode:
    """Return the code of a process for what it ended with until now, and what came next.

    The first failure tells, but one that is to be expected hides none that is not.
    """
    return code if _weight(code) > _weight(before) else before


def _weight(code: ExitCode) -> int:
    return _MILD.index(code) if code in _MILD else len(_MILD)
