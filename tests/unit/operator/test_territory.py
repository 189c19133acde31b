"""Namespaces in which the operator may not work: waited for, left out, and taken up again when they are back."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from novahunt_api import paths
from novahunt_api.cluster import Cluster, NoRightError, UnavailableError
from novahunt_operator.territory import NamespaceIsBackError, Territory
from virtual_time import run

Clock = Callable[[], float]


class Rights:
    """The API server, as far as it lets collections be listed."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.away: set[str] = set()

    async def get(self, path: str, _kind: type[Any], query: dict[str, str]) -> None:
        assert query == {"limit": "1"}
        await asyncio.sleep(0.01)
        if any(path == paths.collections(one) for one in self.away):
            raise UnavailableError(0, "ServerDisconnectedError", "no answer")
        if any(path == paths.collections(one) for one in self.refused):
            raise NoRightError(403, "Forbidden", "no role")


def territory(rights: Rights, *namespaces: str) -> Territory:
    return Territory(cast("Cluster", rights), namespaces)


def test_where_nothing_is_refused_all_are_worked_in_at_once() -> None:
    found = territory(Rights(), "a", "b")

    async def scene(clock: Clock) -> float:
        began = clock()
        await found.explore()
        return clock() - began

    assert run(scene) < 1
    assert found.namespaces == ("a", "b")


def test_many_namespaces_are_asked_for_at_once() -> None:
    found = territory(Rights(), *(f"team-{number}" for number in range(200)))

    async def scene(clock: Clock) -> float:
        began = clock()
        await found.explore()
        return clock() - began

    assert run(scene) < 0.1, "one answer takes 0.01 s"


def test_all_namespaces_at_once_are_never_left_out() -> None:
    found = territory(Rights())

    async def scene(_clock: Clock) -> None:
        await found.explore()

    run(scene)
    assert found.namespaces == (None,)


def test_one_that_stays_refused_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    found = territory(Rights("gone"), "a", "gone")

    async def scene(clock: Clock) -> float:
        began = clock()
        await found.explore()
        return clock() - began

    assert 15 < run(scene) < 60
    assert found.namespaces == ("a",)
    assert "namespace gone is left out" in caplog.text


def test_roles_that_are_read_late_leave_nothing_out() -> None:
    rights = Rights("a", "b")
    found = territory(rights, "a", "b")

    async def scene(_clock: Clock) -> None:
        exploring = asyncio.create_task(found.explore())
        await asyncio.sleep(10)
        rights.refused.clear()
        await exploring

    run(scene)
    assert found.left_out == frozenset()


def test_while_all_are_refused_it_waits() -> None:
    rights = Rights("a", "b")
    found = territory(rights, "a", "b")

    async def scene(_clock: Clock) -> None:
        exploring = asyncio.create_task(found.explore())
        await asyncio.sleep(3600)
        assert not exploring.done()
        assert "may not list DomainCollections in a, b" in found.trouble
        rights.refused.remove("a")
        await exploring

    run(scene)
    assert found.trouble == ""
    assert found.namespaces == ("a",)


def test_looked_at_again_only_what_is_newly_refused_is_waited_for_and_named(caplog: pytest.LogCaptureFixture) -> None:
    rights = Rights("old")
    found = territory(rights, "a", "old", "new")

    async def scene(clock: Clock) -> tuple[float, float]:
        await found.explore()
        caplog.clear()
        began = clock()
        await found.explore()
        again = clock()
        rights.refused.add("new")
        await found.explore()
        return again - began, clock() - again

    known, new = run(scene)
    assert known < 1
    assert 15 < new < 60
    assert found.namespaces == ("a",)
    assert [record.args for record in caplog.records] == [("new",)]


def test_looked_at_again_what_is_back_is_taken_up() -> None:
    rights = Rights("gone")
    found = territory(rights, "a", "gone")

    async def scene(_clock: Clock) -> None:
        await found.explore()
        rights.refused.clear()
        await found.explore()

    run(scene)
    assert found.namespaces == ("a", "gone")


def test_a_server_that_does_not_answer_refuses_nothing() -> None:
    rights = Rights()
    rights.away = {"a"}
    found = territory(rights, "a", "b")

    async def scene(_clock: Clock) -> None:
        await found.explore()

    run(scene)
    assert found.namespaces == ("a", "b")


def test_the_process_ends_when_one_is_back_and_not_while_the_server_is_away() -> None:
    rights = Rights("gone")
    found = territory(rights, "a", "gone")

    async def scene(_clock: Clock) -> None:
        await found.explore()
        waiting = asyncio.create_task(found.until_one_is_back())
        rights.refused.clear()
        rights.away = {"gone"}
        await asyncio.sleep(600)
        assert not waiting.done()
        rights.away.clear()
        with pytest.raises(NamespaceIsBackError, match="gone"):
            await waiting

    run(scene)
