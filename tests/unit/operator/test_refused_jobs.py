"""Refused Jobs, and Jobs whose name is taken: what is told of them, and that they are tried again after their pause."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, Mock

import msgspec
import pytest

from builders import KEY, collection, spec
from novahunt_api import paths
from novahunt_api.cluster import ApiError
from novahunt_contract.wanted import Wanted
from novahunt_operator import reconciler
from novahunt_operator.actions import Actions
from novahunt_operator.erasing import Erasing
from novahunt_operator.ledger import Ledger
from novahunt_operator.lists import NO_LISTS
from novahunt_operator.metrics import Metrics
from novahunt_operator.noticeboard import NoticeBoard
from novahunt_operator.permits import Permits
from novahunt_operator.progress import ProgressBoard
from novahunt_operator.reconciler import Reconciler, utc_now
from novahunt_operator.recorder import Recorder
from novahunt_operator.scheduler import Scheduler, StartLimit
from novahunt_operator.settings import read
from novahunt_operator.store import Store
from novahunt_operator.workqueue import WorkQueue
from unit.operator.memory_cluster import MemoryCluster
from unit.operator.test_settings import NEEDED

WISHES = {
    "domains": ["a.example"],
    "deletionPolicy": "Delete",
    "storage": {"persistentVolumeClaim": {"claimName": "claim"}},
}


class Refusing(MemoryCluster):
    """A cluster whose quota takes no Job while it is full."""

    full = True

    def _write(self, method: str, path: str, body: Any) -> dict[str, Any]:
        if method == "POST" and self.full:
            raise ApiError(403, "Forbidden", "exceeded quota")
        kept = super()._write(method, path, body)
        kept.get("metadata", {}).setdefault("creationTimestamp", "2026-11-24T12:00:00Z")
        return kept


class Desk:
    """A reconciler of one collection; its queue is only written down."""

    def __init__(self) -> None:
        self.cluster, self.store, metrics = Refusing(), Store(), Metrics()
        settings = read(NEEDED)
        recorder = Recorder(self.cluster, self.store)
        self.queue = Mock(spec=WorkQueue)
        self.sources = Mock(wanted=AsyncMock(return_value=Wanted(("a.example",))))
        self.reporter = reporter = Mock()
        reporter.too_early.return_value = 0.0
        reporter.report = AsyncMock(return_value=None)
        actions = Actions(
            self.cluster, self.store, recorder, settings.collector, metrics=metrics, progressed=lambda _key: None
        )
        self.reconciler = Reconciler(
            settings=settings,
            store=self.store,
            sources=self.sources,
            suppression=Mock(lists=AsyncMock(return_value=NO_LISTS)),
            scheduler=Scheduler(2, StartLimit(0, timedelta(minutes=1))),
            actions=actions,
            reporter=reporter,
            permits=Permits(15, 500),
            ledger=Ledger(self.cluster, self.store, repeats_charged=False, now=utc_now),
            progress=ProgressBoard(),
            notices=NoticeBoard(),
            erasing=Erasing(self.cluster, self.store, recorder, settings.collector, metrics),
            queue=self.queue,
            metrics=metrics,
        )

    def waits_for(self) -> tuple[str, str]:
        """Return reason and message of what the last status says it waits for."""
        status = self.reporter.report.call_args.args[1]
        (found,) = (one for one in status.conditions if one.type == "Waiting")
        return found.reason, found.message

    async def pauses(self) -> list[float]:
        """Look once; return in how many seconds the collection is to come again."""
        self.queue.reset_mock()
        await self.reconciler.reconcile(KEY)
        return [call.args[1] if len(call.args) > 1 else 0.0 for call in self.queue.add.call_args_list]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    yield found
    await found.cluster.close()


async def test_a_look_in_between_does_not_use_the_next_try_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store.put_collection(collection(spec(**WISHES)))
    pause = reconciler._REFUSED_SECONDS
    assert any(0 < seconds <= pause for seconds in await desk.pauses())
    assert not list(desk.store.jobs()), "nothing is stored that nobody would erase"
    desk.cluster.full = False
    # Something else has changed: its erasure is taken now, its runs still pause.
    assert any(0 < seconds <= pause for seconds in await desk.pauses())
    assert len(list(desk.store.erasures())) == 1
    assert not list(desk.store.jobs())
    later = time.monotonic() + pause
    monkeypatch.setattr(time, "monotonic", lambda: later)
    await desk.pauses()
    assert [job.domain for job in desk.store.jobs()] == ["a.example"]


@pytest.mark.parametrize("of", ["run", "erasure"])
async def test_a_foreign_job_that_holds_a_name_is_told_of_and_work_goes_on_once_it_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    desk.cluster.full = False
    desk.store.put_collection(collection(spec(**WISHES)))
    await desk.pauses()
    (name,) = (one.key.name for one in (desk.store.jobs() if of == "run" else desk.store.erasures()))
    again = Desk()
    again.cluster.full = False
    path = paths.jobs(KEY.namespace, name)
    again.cluster.put(path, {"metadata": {"name": name, "namespace": KEY.namespace}})
    again.store.put_collection(collection(spec(**WISHES)))
    pause = reconciler._REFUSED_SECONDS
    assert any(0 < seconds <= pause for seconds in await again.pauses())
    reason, message = again.waits_for()
    assert reason == "NameTaken"
    assert name in message
    assert not list(again.store.jobs())
    del again.cluster.objects[path]
    later = time.monotonic() + pause
    monkeypatch.setattr(time, "monotonic", lambda: later)
    await again.pauses()
    assert [job.domain for job in again.store.jobs()] == ["a.example"]
    await again.cluster.close()


async def test_an_errand_that_was_given_up_is_remembered_when_its_job_is_gone(desk: Desk) -> None:
    desk.cluster.full = False
    desk.store.put_collection(collection(spec(domains=["a.example"], mode="Estimate")))
    await desk.pauses()
    (made,) = desk.store.errands_of(KEY).values()
    without_pod = {"taken_up": True, "created": utc_now() - timedelta(hours=1)}
    desk.store.put_errand(msgspec.structs.replace(made, resource_version=made.resource_version + 1, **without_pod))
    for _ in range(2):
        await desk.pauses()
        assert desk.store.errands_of(KEY) == {}
        assert desk.waits_for()[0] == "PodRefused"
