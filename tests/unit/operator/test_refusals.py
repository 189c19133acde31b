"""Calls that the API server refuses: the status tells of them, the rest goes on, and the queue still counts them."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest

from builders import KEY, collection, complete, finished_pod, receipt, spec
from novahunt_api.cluster import ApiError, ConflictError, NoRightError, UnavailableError
from novahunt_api.objects import Key
from novahunt_contract.wanted import Wanted
from novahunt_operator import reconciler, refusals
from novahunt_operator.actions import Actions
from novahunt_operator.erasing import Erasing
from novahunt_operator.ledger import Ledger
from novahunt_operator.lists import Lists
from novahunt_operator.sources import Sources
from novahunt_operator.suppression import Suppression
from unit.operator.memory_cluster import MemoryCluster
from unit.operator.test_refused_jobs import Desk

QUOTA = ApiError(403, "Forbidden", "exceeded quota: count/domainresults.novahunt.io")
NO_RIGHT = NoRightError(403, "Forbidden", 'User "novahunt" cannot create resource "domainresults"')


class RefusingDesk(Desk):
    """A reconciler whose run of a.example has ended, and some of whose calls are refused."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster.full = False
        self.refused: dict[tuple[str, str], ApiError] = {}
        """By method and kind."""
        self.told_no: Counter[str] = Counter()
        """How often, by kind."""
        answer = self.cluster._write

        def write(method: str, path: str, body: Any) -> dict[str, Any]:
            for (refused, kind), error in self.refused.items():
                if method == refused and f"/{kind}" in path:
                    self.told_no[kind] += 1
                    raise error
            return answer(method, path, body)

        self.cluster._write = write  # type: ignore[method-assign]
        self.store.put_collection(collection(spec(domains=["a.example"])))
        self.ended = complete("a.example")
        self.store.put_job(self.ended)
        self.store.put_pod(finished_pod(self.ended, receipt(domain="a.example", job_id=self.ended.job_id)))

    def conditions(self) -> dict[str, tuple[str, str]]:
        status = self.reporter.report.call_args.args[1]
        return {one.type: (one.status, one.reason) for one in status.conditions}


@pytest.fixture
async def desk() -> AsyncIterator[RefusingDesk]:
    found = RefusingDesk()
    yield found
    await found.cluster.close()


async def test_a_result_that_is_refused_for_good_is_told_in_the_status_and_the_queue_tries_again(
    desk: RefusingDesk,
) -> None:
    desk.refused["POST", "domainresults"] = QUOTA
    with pytest.raises(ApiError, match="exceeded quota"):
        await desk.pauses()
    assert desk.conditions()["Stalled"] == ("True", "ApiRefused")
    assert "exceeded quota: count/domainresults.novahunt.io" in desk.waits_for()[1]
    desk.refused.clear()
    await desk.pauses()
    assert desk.conditions() == {"Ready": ("True", "Completed")}


async def test_what_is_refused_for_good_is_not_tried_again_sooner_than_the_queue_does(desk: RefusingDesk) -> None:
    desk.refused["POST", "domainresults"] = QUOTA
    with pytest.raises(ApiError):
        await desk.pauses()
    assert not [call for call in desk.queue.add.call_args_list if len(call.args) < 2 or call.args[1] < 1]


async def test_refused_jobs_pause_and_are_told_of_although_a_record_is_refused_for_good_as_well(
    desk: RefusingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sources.wanted.return_value = Wanted(("a.example", "b.example"))
    desk.store.put_collection(collection(spec(domains=["a.example", "b.example"])))
    desk.refused["POST", "domainresults"] = ApiError(403, "Forbidden", "admission webhook denied the request")
    desk.refused["POST", "jobs"] = ApiError(403, "Forbidden", "exceeded quota")
    for _ in range(3):
        with pytest.raises(ApiError, match="webhook"):
            await desk.pauses()
        assert desk.waits_for()[0] == "ClusterCapacity"
        assert not list(desk.reconciler._scheduler.hungry(but=Key("sales", "other"))), "its slots are for others"
    assert desk.told_no == {"domainresults": 3, "jobs": 1}
    # The quota is over: what is still refused is what the status tells.
    del desk.refused["POST", "jobs"]
    later = time.monotonic() + reconciler._REFUSED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(ApiError, match="webhook"):
        await desk.pauses()
    assert "b.example" in [job.domain for job in desk.store.jobs()]
    assert desk.waits_for()[0] == "ApiRefused"


def webhook(words: str, *, code: int = 403, reason: str = "Forbidden") -> ApiError:
    return ApiError(code, reason, f"admission webhook denied the request: {words}")


async def test_a_refusal_whose_words_differ_at_each_call_changes_the_status_once_a_minute_at_most(
    desk: RefusingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(error: ApiError) -> str:
        desk.refused["POST", "domainresults"] = error
        with pytest.raises(ApiError):
            await desk.pauses()
        return desk.waits_for()[1].rpartition(": ")[2]

    assert await told(webhook("request 1")) == "request 1"
    assert await told(webhook("request 2")) == "request 1"
    assert await told(webhook("too large", code=413, reason="TooLarge")) == "too large", "this is another one"
    assert await told(webhook("request 3")) == "request 3"
    later = time.monotonic() + refusals.RETELL_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert await told(webhook("no team label")) == "no team label"
    desk.refused.clear()
    await desk.pauses()
    assert "Stalled" not in desk.conditions()


@pytest.mark.parametrize("call", [(Erasing, "look_after"), (Ledger, "look_up"), (Actions, "adopt")], ids=str)
async def test_any_other_call_that_is_refused_is_told_as_well_and_the_rest_is_done(
    desk: RefusingDesk, monkeypatch: pytest.MonkeyPatch, call: tuple[type, str]
) -> None:
    monkeypatch.setattr(*call, AsyncMock(side_effect=QUOTA))
    with pytest.raises(ApiError, match="exceeded quota"):
        await desk.pauses()
    assert desk.store.results_of(KEY).keys() == {"a.example"}
    assert desk.conditions()["Stalled"] == ("True", "ApiRefused")


@pytest.mark.parametrize(
    "error",
    [
        NO_RIGHT,
        ApiError(401, "Unauthorized", "Unauthorized"),
        UnavailableError(429, "TooManyRequests", "later"),
        ConflictError(409, "Conflict", "it has changed"),
    ],
    ids=lambda error: str(error.code),
)
async def test_what_may_pass_is_not_told_but_the_status_is_written(desk: RefusingDesk, error: ApiError) -> None:
    desk.cluster._with_retries = desk.cluster._call_in_turn
    desk.refused["POST", "domainresults"] = error
    with pytest.raises(type(error)):
        await desk.pauses()
    assert "Stalled" not in desk.conditions()


async def test_a_missing_right_is_told_after_a_minute(desk: RefusingDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.refused["POST", "domainresults"] = NO_RIGHT
    with pytest.raises(NoRightError):
        await desk.pauses()
    later = time.monotonic() + refusals.GRACE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(NoRightError):
        await desk.pauses()
    assert desk.conditions()["Stalled"] == ("True", "ApiRefused")


async def test_old_jobs_that_may_not_be_deleted_hold_nothing_else_up(desk: RefusingDesk) -> None:
    desk.store.put_collection(collection(spec(domains=["a.example"], history={"succeededJobs": 0})))
    await desk.pauses()
    desk.refused["DELETE", "jobs"] = ApiError(403, "Forbidden", "admission webhook denied the request")
    with pytest.raises(ApiError, match="webhook"):
        await desk.pauses()
    assert desk.conditions() == {
        "Ready": ("True", "Completed"),
        "Stalled": ("True", "ApiRefused"),
        "Waiting": ("True", "ApiRefused"),
    }


async def test_while_an_erasure_can_not_be_made_nothing_starts_and_the_status_tells(desk: RefusingDesk) -> None:
    claim = {"persistentVolumeClaim": {"claimName": "claim"}}
    desk.store.drop_job(desk.ended.key, desk.ended.uid)
    desk.store.put_collection(collection(spec(domains=["a.example"], deletionPolicy="Delete", storage=claim)))
    desk.refused["POST", "jobs"] = ApiError(413, "RequestEntityTooLarge", "too large")
    with pytest.raises(ApiError, match="too large"):
        await desk.pauses()
    assert not list(desk.store.jobs())
    assert desk.conditions()["Stalled"] == ("True", "ApiRefused")


class Unreadable(MemoryCluster):
    """A cluster whose ConfigMaps may not be read."""

    error: ApiError = NoRightError(403, "Forbidden", 'User "novahunt" cannot get resource "configmaps"')

    def _found(self, path: str) -> dict[str, Any]:
        del path
        raise self.error


LEADS = {"name": "leads", "key": "domains.txt"}


async def test_a_list_that_may_not_be_read_counts_as_missing_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Unreadable()
    of = collection(
        spec(domainsFrom=[{"configMapKeyRef": LEADS}], suppressionFrom=[{"configMapKeyRef": LEADS}], domains=[])
    )
    sources, suppression = Sources(cluster), Suppression(cluster)
    with pytest.raises(NoRightError):
        await sources.wanted(of)
    with pytest.raises(NoRightError):
        await suppression.lists(of)
    later = time.monotonic() + refusals.GRACE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    words = f"ConfigMap leads can't be read: {cluster.error.message}"
    assert (await sources.wanted(of)).missing == (f"spec.domainsFrom[0]: {words}",)
    assert (await suppression.lists(of)) == Lists(("",), (f"spec.suppressionFrom[0]: {words}",))
    await cluster.close()


async def test_lists_for_which_the_server_fails_count_as_missing_and_are_not_waited_for_at_each_look(
    desk: RefusingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Unreadable()
    cluster._with_retries = cluster._call_in_turn
    cluster.error = UnavailableError(500, "InternalError", "no matching key was found")
    lists = [{"configMapKeyRef": LEADS}, {"configMapKeyRef": LEADS}]
    of = collection(spec(domainsFrom=lists, suppressionFrom=lists, domains=["a.example"]))
    sources, suppression = Sources(cluster), Suppression(cluster)
    words = "can't be read: no matching key was found"
    wanted = await sources.wanted(of)
    assert (wanted.domains, wanted.missing) == (("a.example",), (f"spec.domainsFrom {words}",))
    assert await suppression.lists(of) == Lists(("", ""), (f"spec.suppressionFrom {words}",))
    assert len(cluster.reads) == 2, "one of each kind is waited for"
    began = time.monotonic()
    for seconds, reads in ((100, 2), (130, 4)):
        monkeypatch.setattr(time, "monotonic", lambda: began + seconds)  # noqa: B023 - called before the next turn
        await sources.wanted(of)
        await suppression.lists(of)
        assert len(cluster.reads) == reads
    # The status tells, and nothing starts.
    desk.sources.wanted.side_effect = sources.wanted
    desk.store.put_collection(of)
    await desk.reconciler.prepare(KEY)
    await desk.pauses()
    assert desk.waits_for()[1] == f"spec.domainsFrom {words}"
    assert desk.store.results_of(KEY).keys() == {"a.example"}
    cluster.error = UnavailableError(0, "ServerDisconnectedError", "no answer")
    monkeypatch.setattr(time, "monotonic", lambda: began + 600)
    with pytest.raises(UnavailableError):
        await sources.wanted(of)
    with pytest.raises(UnavailableError):
        await suppression.lists(of)
    await cluster.close()


async def test_a_collection_whose_lists_are_refused_does_not_keep_the_operator_from_beginning(
    desk: RefusingDesk,
) -> None:
    desk.sources.wanted.side_effect = NO_RIGHT
    await desk.reconciler.prepare(KEY)
    desk.sources.wanted.side_effect = UnavailableError(0, "ServerDisconnectedError", "no answer")
    with pytest.raises(UnavailableError):
        await desk.reconciler.prepare(KEY)
