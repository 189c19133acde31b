"""The lease: one replica is active, the other takes over in time, and who has lost it stops at once."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from novahunt_api import paths
from novahunt_api.cluster import Cluster, ConflictError, NotFoundError, UnavailableError
from novahunt_operator import lease as module
from novahunt_operator.lease import DURATION_SECONDS, Lease, LostLeaseError
from virtual_time import run

Clock = Callable[[], float]


class OneLease:
    """The API server's side of one Lease object: optimistic writes, and outages when told."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] | None = None
        self.version = 0
        self.away = False
        self.lost = 0
        """So many answers to writes get lost."""

    async def call_once(self, method: str, path: str, *, body: Any = None, seconds: float) -> bytes:
        assert seconds <= 3
        assert path.startswith(paths.leases("novahunt"))
        await asyncio.sleep(0.01)
        if self.away:
            raise UnavailableError(0, "ServerDisconnectedError", "no answer")
        if method == "GET":
            if self.spec is None:
                raise NotFoundError(404, "NotFound", "no lease")
        elif method == "POST":
            if self.spec is not None:
                raise ConflictError(409, "AlreadyExists", "it is there")
            self._write(body)
        else:
            if body["metadata"]["resourceVersion"] != str(self.version):
                raise ConflictError(409, "Conflict", "changed")
            self._write(body)
        metadata = {"name": "operator", "namespace": "novahunt", "resourceVersion": str(self.version)}
        return msgspec.json.encode({"metadata": metadata, "spec": self.spec})

    def _write(self, body: Any) -> None:
        self.version += 1
        self.spec = msgspec.json.decode(msgspec.json.encode(body["spec"]))
        if self.lost:
            self.lost -= 1
            raise UnavailableError(0, "ServerDisconnectedError", "no answer")

    @property
    def holder(self) -> str:
        assert self.spec is not None
        return str(self.spec["holderIdentity"])


@contextlib.contextmanager
def timed_by(clock: Clock) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", SimpleNamespace(monotonic=clock))
        yield


def play(scene: Callable[[OneLease, Lease, Lease, Clock], Coroutine[Any, Any, None]]) -> None:
    async def whole(clock: Clock) -> None:
        with timed_by(clock):
            api = OneLease()
            cluster = cast("Cluster", api)
            one, two = (Lease(cluster, "novahunt", "operator", name) for name in ("one", "two"))
            await scene(api, one, two, clock)

    run(whole)


async def cancelled(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def test_the_first_becomes_active_and_the_second_waits_for_as_long_as_it_renews() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, _: Clock) -> None:
        await one.acquire()
        keeping, waiting = asyncio.ensure_future(one.keep()), asyncio.ensure_future(two.acquire())
        for __ in range(300):
            await asyncio.sleep(1)
            assert (one.held, two.held, api.holder) == (True, False, "one")
        await cancelled(keeping)
        await cancelled(waiting)

    play(scene)


def test_after_a_kill_the_other_takes_over_within_15_seconds_and_never_while_the_first_may_act() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, clock: Clock) -> None:
        await one.acquire()
        killed_at = clock()
        await two.acquire()
        assert DURATION_SECONDS <= clock() - killed_at <= 15
        assert (one.held, two.held, api.holder) == (False, True, "two")
        assert api.spec is not None
        assert api.spec["leaseTransitions"] == 2

    play(scene)


def test_who_finds_another_holder_stands_by_and_who_holds_it_or_has_read_nothing_does_not() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, clock: Clock) -> None:
        del clock
        assert not one.stands_by
        await one.acquire()
        waiting = asyncio.ensure_future(two.acquire())
        await asyncio.sleep(5)
        assert (one.stands_by, two.stands_by) == (False, True)
        await one.release()
        await waiting
        assert not two.stands_by
        api.away = True
        starting = Lease(cast("Cluster", api), "novahunt", "operator", "three")
        trying = asyncio.ensure_future(starting.acquire())
        await asyncio.sleep(5)
        assert not starting.stands_by
        await cancelled(trying)

    play(scene)


def test_a_clean_stop_lets_the_other_take_over_at_once() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, clock: Clock) -> None:
        await one.acquire()
        waiting = asyncio.ensure_future(two.acquire())
        await asyncio.sleep(3)
        await one.release()
        released_at = clock()
        await waiting
        assert clock() - released_at < 2
        assert (one.held, two.held, api.holder) == (False, True, "two")

    play(scene)


def test_who_can_not_renew_stops_before_another_may_take_over() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, clock: Clock) -> None:
        await one.acquire()
        began = clock()
        api.away = True
        with pytest.raises(LostLeaseError, match="one does not hold"):
            await one.keep()
        assert clock() - began < DURATION_SECONDS
        assert not one.held
        api.away = False
        await two.acquire()
        assert two.held

    play(scene)


def test_a_short_outage_of_the_api_server_costs_nothing() -> None:
    async def scene(api: OneLease, one: Lease, _: Lease, __: Clock) -> None:
        await one.acquire()
        keeping = asyncio.ensure_future(one.keep())
        await asyncio.sleep(1)
        api.away = True
        await asyncio.sleep(4)
        assert one.held
        api.away = False
        await asyncio.sleep(10)
        assert one.held
        await cancelled(keeping)

    play(scene)


def test_a_paused_holder_that_wakes_up_does_not_act_and_finds_out() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, _: Clock) -> None:
        await one.acquire()
        await two.acquire()
        assert not one.held
        with pytest.raises(LostLeaseError):
            await one.keep()
        assert api.holder == "two"

    play(scene)


def test_a_holder_that_sees_another_one_stops_at_once_whatever_its_clock_says() -> None:
    # A suspended machine's monotonic clock stands still.
    async def scene(api: OneLease, one: Lease, _: Lease, __: Clock) -> None:
        await one.acquire()
        assert api.spec is not None
        api.spec["holderIdentity"] = "two"
        api.version += 1
        with pytest.raises(LostLeaseError):
            await asyncio.wait_for(one.keep(), 3)
        assert not one.held

    play(scene)


@pytest.mark.parametrize("suspended", [False, True], ids=["paused", "suspended"])
def test_a_holder_that_wakes_up_after_another_has_held_and_released_it_does_not_go_on(*, suspended: bool) -> None:
    # Of what the other one did it knows nothing: the requests of the last minute, the credits set aside.
    async def scene(api: OneLease, one: Lease, two: Lease, _: Clock) -> None:
        await one.acquire()
        valid_until = one._valid_until
        await two.acquire()
        await two.release()
        assert api.holder == ""
        if suspended:
            # Its monotonic clock stood still.
            one._valid_until = valid_until + 3600
        with pytest.raises(LostLeaseError):
            await asyncio.wait_for(one.keep(), 3)
        assert (one.held, api.holder) == (False, "")

    play(scene)


@pytest.mark.parametrize("lost", [0, 1], ids=["", "the answer is lost"])
def test_a_holder_whose_lease_was_deleted_makes_it_anew_and_goes_on(lost: int) -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, _: Clock) -> None:
        await two.acquire()
        await two.release()
        await one.acquire()
        keeping = asyncio.ensure_future(one.keep())
        await asyncio.sleep(5)
        api.spec = None
        api.lost = lost
        await asyncio.sleep(60)
        assert (one.held, api.holder, keeping.done()) == (True, "one", False)
        await cancelled(keeping)

    play(scene)


def test_two_that_ask_at_the_same_moment_do_not_both_get_it() -> None:
    async def scene(_: OneLease, one: Lease, two: Lease, clock: Clock) -> None:
        asked = [asyncio.ensure_future(each.acquire()) for each in (one, two)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert (one.held, two.held).count(True) == 1
        assert clock() - 1000 < 1
        for task in asked:
            await cancelled(task)

    play(scene)


def test_a_restarted_replica_of_the_same_name_takes_its_lease_up_again_at_once() -> None:
    async def scene(api: OneLease, one: Lease, _: Lease, clock: Clock) -> None:
        await one.acquire()
        again = Lease(cast("Cluster", api), "novahunt", "operator", "one")
        began = clock()
        await again.acquire()
        assert clock() - began < 1
        assert api.spec is not None
        assert api.spec["leaseTransitions"] == 1

    play(scene)


def test_who_does_not_hold_it_does_not_release_it() -> None:
    async def scene(api: OneLease, one: Lease, two: Lease, _: Clock) -> None:
        await one.acquire()
        await two.release()
        assert (one.held, api.holder) == (True, "one")

    play(scene)


def test_a_release_that_the_api_server_does_not_answer_still_ends_the_hold() -> None:
    async def scene(api: OneLease, one: Lease, _: Lease, __: Clock) -> None:
        await one.acquire()
        api.away = True
        await one.release()
        assert not one.held

    play(scene)
