"""How long a finished collection stays: what its status shows decides."""

from datetime import timedelta
from typing import Any

import pytest

from builders import HOUR, MINUTE, NOW, at, collection, spec
from novahunt_api.conditions import Condition
from novahunt_api.statusobject import CollectionStatus
from novahunt_operator.lifetime import removal_at

READY = Condition("Ready", "True", "Completed")
BUSY = Condition("Ready", "False", "InProgress")


def finished(**fields: Any) -> CollectionStatus:
    given = {"observed_generation": 1, "completed_at": at(30), "conditions": (READY,)}
    return CollectionStatus(**{**given, **fields})


def test_it_goes_so_long_after_its_completion() -> None:
    made = collection(spec(ttlSecondsAfterFinished=90), status=finished())
    assert removal_at(made) == NOW + timedelta(seconds=120)


def test_results_that_were_there_before_it_do_not_make_it_older_than_it_is() -> None:
    made = collection(spec(ttlSecondsAfterFinished=0), status=finished(completed_at=at(-3600 * 24)))
    assert removal_at(made) == made.created == NOW - MINUTE


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (finished(conditions=(BUSY,)), {}),
        (finished(conditions=()), {}),
        (finished(completed_at=None), {}),
        (finished(), {"generation": 2}),
        (finished(), {"deleting": True}),
        (finished(), {"spec": spec()}),
    ],
)
def test_it_stays_while_it_is_not_finished_or_was_edited_or_never_asked_to_go(
    status: CollectionStatus, fields: dict[str, Any]
) -> None:
    made = collection(**{"spec": spec(ttlSecondsAfterFinished=0), "created": NOW - HOUR, **fields}, status=status)
    assert removal_at(made) is None
