"""What kopf tells: where its handlers run, what they put into the store, and what kopf is kept from doing."""

import asyncio
import copy
from typing import Any

import kopf

from builders import KEY
from novahunt_api.objects import Key
from novahunt_api.signs import Signs
from novahunt_operator import handlers
from novahunt_operator.kopfsession import KopfSessions
from novahunt_operator.metrics import Metrics
from novahunt_operator.store import Store
from unit.operator.api_objects import COLLECTION, JOB


def functions(store: Store, told: list[Key]) -> dict[str, Any]:
    """Return the handlers' functions by the plural of their kind."""
    metrics = Metrics()
    found = handlers.registry(
        store, told.append, KopfSessions(Signs(metrics.watch_restarted), metrics)
    )._watching.get_all_handlers()
    return {"jobs" if "jobs" in repr(handler.selector) else "domaincollections": handler.fn for handler in found}


def test_all_handlers_run_in_the_loop_to_which_store_and_queue_belong() -> None:
    found = functions(Store(), [])
    assert set(found) == {"domaincollections", "jobs"}
    assert all(asyncio.iscoroutinefunction(function) for function in found.values())


async def test_events_change_the_store_and_name_the_collection() -> None:
    store, told = Store(), list[Key]()
    found = functions(store, told)
    await found["domaincollections"](event={"type": "ADDED", "object": COLLECTION})
    await found["jobs"](event={"type": None, "object": JOB})
    assert store.collection(KEY) is not None
    assert len(list(store.jobs())) == 1
    await found["jobs"](event={"type": "DELETED", "object": JOB})
    await found["domaincollections"](event={"type": "DELETED", "object": COLLECTION})
    assert store.collection(KEY) is None
    assert not list(store.jobs())
    assert told == [KEY] * 4


async def test_what_can_t_be_read_stops_nothing() -> None:
    store, told = Store(), list[Key]()
    found = functions(store, told)
    stranger = {**JOB, "metadata": {**JOB["metadata"], "ownerReferences": []}}
    await found["jobs"](event={"type": "ADDED", "object": stranger})
    await found["domaincollections"](event={"type": "ADDED", "object": {"metadata": {"name": 5}}})
    assert told == []


def test_kopf_copies_and_keeps_nothing_of_an_object() -> None:
    persistence = handlers.settings().persistence
    body = kopf.Body(copy.deepcopy(JOB))  # type: ignore[arg-type]
    essence = persistence.diffbase_storage.build(body=body)
    assert essence == {}
    assert persistence.progress_storage.clear(essence=essence) is essence
    assert persistence.diffbase_storage.fetch(body=body) is None
