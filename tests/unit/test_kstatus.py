"""What kstatus, and so Flux, reads in each recorded state: never another end than Argo CD's health check.

By its rules as they are written down here, and by its own code, where the cache has it: `make test-unit` builds it.
"""

import pytest

import recorded_states
from tools import argocd, kstatus
from unit.argo_lua import health
from unit.kstatus import Status, compute

STATES = recorded_states.states()
HEALTH_LUA = (argocd.KIND / "health.lua").read_text("utf-8")

MEANS = {
    "Healthy": Status.CURRENT,
    "Progressing": Status.IN_PROGRESS,
    "Degraded": Status.FAILED,
    # It knows no such word: who waits for a suspended collection waits until it is resumed.
    "Suspended": Status.IN_PROGRESS,
}
OTHERWISE = {
    "deleting": Status.TERMINATING,
    # Only an object that was made before the kind had a default for its status has none.
    "without-status": Status.CURRENT,
}


@pytest.mark.parametrize("state", STATES)
def test_kstatus_and_the_health_check_agree(state: str) -> None:
    status = health(HEALTH_LUA, STATES[state]).status
    assert compute(STATES[state]) == OTHERWISE.get(state, MEANS[status])


def test_a_collection_that_the_operator_has_not_seen_is_not_taken_for_done() -> None:
    made = STATES["just-made"]
    assert made["status"] == {"observedGeneration": -1}
    assert compute(made) == Status.IN_PROGRESS


def test_all_four_words_are_heard() -> None:
    assert {compute(obj) for obj in STATES.values()} == set(Status)


def test_its_own_code_says_the_same() -> None:
    built = kstatus.entry()
    if not built.present:
        pytest.skip("no kstatus: `python -m tools.kstatus` makes one")
    said = kstatus.ask(built.path / "kstatus", list(STATES.values()))
    assert dict(zip(STATES, said, strict=True)) == {state: str(compute(obj)) for state, obj in STATES.items()}
