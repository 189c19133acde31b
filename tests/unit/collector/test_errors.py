"""Every error type has one reason, and every reason one exit code."""

from collections.abc import Iterator

from novahunt_collector import errors
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import ENDINGS


def _types(base: type[errors.CollectorError]) -> Iterator[type[errors.CollectorError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _types(kind)


def test_every_error_type_is_in_the_table_and_every_reason_has_an_ending() -> None:
    abstract = {errors.RetryableError}
    assert set(_types(errors.CollectorError)) - abstract == set(errors.REASONS)
    assert set(errors.REASONS.values()) <= set(ENDINGS)


def test_the_exit_codes_are_those_that_the_job_policy_reads() -> None:
    assert {kind.__name__: int(ENDINGS[reason].exit_code) for kind, reason in errors.REASONS.items()} == {
        "UsageError": 2,
        "DomainRefusedError": 10,
        "ClaimedError": 10,
        "KeyRefusedError": 11,
        "QuotaUsedUpError": 12,
        "BudgetUsedUpError": 13,
        "DomainBudgetUsedUpError": 13,
        "BadRequestError": 14,
        "ClientRefusedError": 14,
        "SuppressionListError": 14,
        "PlanLimitError": 0,
        "PlanReducedError": 12,
        "TooFastError": 15,
        "UnclearRefusalError": 15,
        "UnavailableError": 20,
        "AnswerLostError": 20,
        "StorageFailedError": 21,
        "IntakeAwayError": 21,
        "StorageBusyError": 21,
        "IntakeRefusedError": 1,
        "StoppedError": 1,
        "OutputClosedError": 1,
    }


def test_a_defect_is_an_interruption_so_that_it_is_run_again() -> None:
    assert errors.exit_code_of(KeyError("x")) is ExitCode.INTERRUPTED
