"""What a person is told of a collection in each state."""

from typing import Any

import pytest

from novahunt_api import domaincollections
from novahunt_api.domaincollections import Collection
from novahunt_api.waiting import Wait
from novahunt_client.explain import FAILURES, WAITS, explain
from novahunt_contract.outcomes import ENDINGS, Outcome


def collection(
    *conditions: tuple[str, str, str, str],
    generation: int = 1,
    observed: int = 1,
    deleting: bool = False,
    **status: Any,
) -> Collection:
    metadata: dict[str, Any] = {"name": "leads", "namespace": "sales", "generation": generation}
    if deleting:
        metadata["deletionTimestamp"] = "2026-11-24T12:00:00Z"
    shown = [
        {"type": kind, "status": holds, "reason": reason, "message": message}
        for kind, holds, reason, message in conditions
    ]
    whole = {"observedGeneration": observed, "conditions": shown, **status} if observed else {}
    return domaincollections.read({"metadata": metadata, "spec": {"domains": ["small.example"]}, "status": whole})


def said(found: Collection, failed: dict[str, int] | None = None) -> str:
    return "\n".join(paragraph.text() for paragraph in explain(found, failed))


@pytest.mark.parametrize("reason", list(Wait))
def test_every_reason_has_a_meaning_and_what_helps(reason: Wait) -> None:
    advice = WAITS[reason]
    assert advice.why
    assert advice.helps
    text = said(
        collection(
            ("Ready", "False", reason, ""),
            ("Waiting", "True", reason, "the operator's own sentence"),
            ("Stalled", "True", reason, "the operator's own sentence"),
        )
    )
    assert text.startswith(f"A person is needed: {reason}. the operator's own sentence")
    assert advice.why in text
    assert "{" not in text.replace("'{", "").replace(":{", "")


@pytest.mark.parametrize("reason", [reason for reason, end in ENDINGS.items() if end.outcome is Outcome.FAILED])
def test_every_reason_of_a_failed_domain_has_advice(reason: str) -> None:
    assert FAILURES[reason]


def test_a_missing_key_comes_with_the_command_that_makes_it() -> None:
    text = said(collection(("Stalled", "True", "KeyMissing", "Secret hunter-api-key is not there.")))
    assert "kubectl -n sales create secret generic hunter-api-key --from-literal=HUNTER_API_KEY=YOUR_KEY" in text


def test_a_suspended_one_tells_what_runs_and_how_it_goes_on() -> None:
    counts = {"total": 3, "waiting": 1, "running": 2}
    shown = collection(("Ready", "False", "Suspended", ""), ("Suspended", "True", "Suspended", ""), domains=counts)
    text = said(shown)
    assert text.startswith("It is suspended. 2 domains still run and will finish.")
    assert "novahunt -n sales resume leads" in text


def test_one_that_works_waits_for_nothing() -> None:
    counts = {"total": 1, "running": 1}
    shown = collection(("Ready", "False", "InProgress", ""), ("Reconciling", "True", "InProgress", ""), domains=counts)
    assert said(shown).startswith("It works: 1 domain run")


def test_one_that_is_done_shows_the_way_to_its_results() -> None:
    text = said(collection(("Ready", "True", "Completed", "3 of 3 domains.")))
    assert text.startswith("It is done")
    assert "novahunt -n sales results leads" in text


def test_an_estimate_shows_the_way_to_collect() -> None:
    text = said(collection(("Ready", "True", "Estimated", "About 9 addresses.")))
    assert '{"spec":{"mode":"Collect"}}' in text


def test_failed_domains_are_grouped_by_reason() -> None:
    shown = collection(("Ready", "True", "CompletedWithFailures", ""), domains={"total": 9, "failed": 3})
    text = said(shown, {"Claimed": 1, "Storage": 2})
    assert "3 domains have failed." in text
    assert f"1 by Claimed: {FAILURES['Claimed']}" in text
    assert "2 by Storage" in text
    assert "novahunt -n sales retry leads" in text


def test_without_results_the_failures_of_the_status_are_taken() -> None:
    failures = [
        {"domain": "small.example", "reason": "Claimed", "message": "451"},
        {"reason": "Invalid", "message": "spec.domains[3]: it is a single label."},
    ]
    counts = {"total": 9, "failed": 1, "invalid": 1}
    text = said(collection(("Ready", "True", "CompletedWithFailures", ""), domains=counts, failures=failures))
    assert "1 domain has failed." in text
    assert "1 entry of the list is no domain, and left out.\nspec.domains[3]" in text


def test_failures_that_count_no_more_are_not_spoken_of() -> None:
    shown = collection(("Ready", "True", "Completed", ""), domains={"total": 1, "succeeded": 1})
    assert "failed" not in said(shown, {"Claimed": 1})


def test_where_some_count_no_more_the_status_says_how_many_do_and_why() -> None:
    failures = [{"domain": "small.example", "reason": "Storage", "message": "full"}]
    counts = {"total": 9, "failed": 1}
    shown = collection(("Ready", "True", "CompletedWithFailures", ""), domains=counts, failures=failures)
    text = said(shown, {"Claimed": 2, "Storage": 1})
    assert "1 domain has failed." in text
    assert "1 by Storage" in text
    assert "Claimed" not in text


def test_reasons_that_are_not_known_of_all_are_said_to_be_of_the_newest() -> None:
    failures = [{"domain": f"d{number}.example", "reason": "Storage", "message": "full"} for number in range(10)]
    counts = {"total": 90, "failed": 40}
    shown = collection(("Ready", "True", "CompletedWithFailures", ""), domains=counts, failures=failures)
    assert "40 domains have failed.\nOf the newest 10: 10 by Storage" in said(shown)


def test_a_silent_operator_is_named() -> None:
    assert said(collection(observed=0)).startswith("The operator has not seen this collection yet.")
    assert said(collection(observed=-1)).startswith("The operator has not seen this collection yet.")
    edited = collection(("Ready", "True", "Completed", ""), generation=2, observed=1)
    assert said(edited).startswith("The operator has not taken up the last edit yet.")


def test_a_deleted_one_waits_for_nothing_else() -> None:
    text = said(collection(("Stalled", "True", "KeyRefused", ""), deleting=True))
    assert text.startswith("It is being deleted.")
    assert "Hunter" not in text


def test_a_spec_that_cannot_be_read_is_named() -> None:
    raw = {"metadata": {"name": "leads"}, "spec": {"domains": "small.example"}}
    assert "spec can't be read" in said(domaincollections.read(raw))


def test_a_reason_of_a_newer_operator_is_told_all_the_same() -> None:
    text = said(collection(("Waiting", "True", "Moonlight", "It is dark.")))
    assert text.startswith("It waits: Moonlight. It is dark.")
    assert "kubectl -n sales describe dcol leads" in text
