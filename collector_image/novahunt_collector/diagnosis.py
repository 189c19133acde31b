"""Finds out, at the end of a run that failed, what Hunter's account page tells of it; that is free of charge."""

import asyncio
from datetime import date
from typing import NamedTuple

from novahunt_collector.asking import Asker
from novahunt_collector.errors import CollectorError, QuotaUsedUpError, StorageFailedError, UnavailableError
from novahunt_contract.intake import Progress

ACCOUNT_SECONDS = 30.0
"""For the account page, permits and tries included: the run has its end already."""


class Diagnosis(NamedTuple):
    """What is known of a failure beside its reason."""

    reset_date: date | None = None
    """Of a used-up plan: the day on which its next billing period begins."""
    own: bool = False
    """It is the domain's alone: Hunter answers other questions, or the place takes other documents."""


NO_DIAGNOSIS = Diagnosis()


async def diagnose(error: CollectorError, asker: Asker, progress: Progress) -> Diagnosis:
    """Return what can be found out of a failure; nothing is raised.

    Args:
        error: What ended the run.
        asker: The domain's.
        progress: How far the domain is, for the intake.
    """
    if isinstance(error, StorageFailedError):
        return Diagnosis(own=error.own)
    if not isinstance(error, QuotaUsedUpError | UnavailableError):
        return NO_DIAGNOSIS
    try:
        async with asyncio.timeout(ACCOUNT_SECONDS):
            reset_date = await asker.account(progress)
    except (CollectorError, TimeoutError):
        return NO_DIAGNOSIS
    return Diagnosis(reset_date) if isinstance(error, QuotaUsedUpError) else Diagnosis(own=True)
