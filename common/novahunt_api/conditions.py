"""Conditions as Kubernetes and kstatus read them; a transition time changes only when the status does."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

MAX_MESSAGE = 1024
"""Characters of a condition's message that are kept."""


class ConditionType(StrEnum):
    """The conditions a DomainCollection can show."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    WAITING = "Waiting"
    SUSPENDED = "Suspended"


class Condition(msgspec.Struct, frozen=True, rename="camel"):
    """One condition; `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str
    message: str = ""
    last_transition_time: str = ""
    observed_generation: int = 0


class Finding(msgspec.Struct, frozen=True):
    """What a condition should say, before its times are known."""

    type: ConditionType
    status: bool
    reason: str
    message: str


def merge(old: Iterable[Condition], findings: Sequence[Finding], generation: int, now: str) -> tuple[Condition, ...]:
    """Return the conditions that the findings ask for; those not found any more are gone."""
    before = {condition.type: condition for condition in old}
    merged = []
    for finding in findings:
        status = "True" if finding.status else "False"
        last = before.get(finding.type)
        since = last.last_transition_time if last is not None and last.status == status else now
        merged.append(
            Condition(
                type=finding.type,
                status=status,
                reason=finding.reason,
                message=finding.message[:MAX_MESSAGE],
                last_transition_time=since or now,
                observed_generation=generation,
            )
        )
    return tuple(merged)


def find(conditions: Iterable[Condition], wanted: ConditionType) -> Condition | None:
    """Return the condition of a type, or None."""
    return next((condition for condition in conditions if condition.type == wanted), None)
