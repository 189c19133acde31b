"""Creating an object once, though the answer to a try may be lost."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from novahunt_api import names, paths
from novahunt_api.cluster import ApiError, ConflictError, NoRightError, NotFoundError, UnavailableError
from novahunt_api.creating import create
from unit.operator.memory_cluster import MemoryCluster

FOLDER = paths.collections("sales")
PLACE = paths.collections("sales", "leads")
BODY: dict[str, Any] = {
    "metadata": {"name": "leads", "annotations": {"team": "north"}},
    "spec": {"domains": ["small.example"]},
}
LOST = UnavailableError(0, "ServerDisconnectedError", "no answer")


class LosingCluster(MemoryCluster):
    """A cluster that does the first writes, and loses its answers; reads fail as it is told."""

    def __init__(self, lost: int = 1, reading: ApiError | None = None) -> None:
        super().__init__()
        self._lost = lost
        self._reading = reading
        self.creates = 0

    async def call_once(self, method: str, path: str, **how: Any) -> bytes:
        if method == "GET" and self._reading is not None:
            raise self._reading
        answer = await super().call_once(method, path, **how)
        self.creates += method == "POST"
        if method == "POST" and self._lost:
            self._lost -= 1
            raise LOST
        return answer


async def made(cluster: MemoryCluster, body: Mapping[str, Any] = BODY) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(await create(cluster, FOLDER, body))
    finally:
        await cluster.close()
    return found


async def test_an_object_is_created_with_what_it_holds_and_the_calls_id() -> None:
    cluster = MemoryCluster()
    found = await made(cluster)
    assert found == cluster.objects[PLACE]
    assert found["spec"] == BODY["spec"]
    assert set(found["metadata"]["annotations"]) == {"team", names.REQUEST_ID_ANNOTATION}
    assert BODY["metadata"]["annotations"] == {"team": "north"}


async def test_a_create_whose_answer_was_lost_finds_its_own_object() -> None:
    cluster = LosingCluster()
    found = await made(cluster)
    assert cluster.creates == 1
    assert found == cluster.objects[PLACE]


@pytest.mark.parametrize("theirs", [{}, {"annotations": {names.REQUEST_ID_ANNOTATION: "another"}}])
async def test_an_object_of_somebody_else_is_a_conflict(theirs: dict[str, Any]) -> None:
    cluster = MemoryCluster()
    cluster.put(PLACE, {"metadata": {"name": "leads", **theirs}, "spec": {}})
    with pytest.raises(ConflictError, match="it is there"):
        await made(cluster)


async def test_no_two_calls_have_the_same_id() -> None:
    cluster = MemoryCluster()
    await create(cluster, FOLDER, BODY)
    with pytest.raises(ConflictError):
        await made(cluster)


@pytest.mark.parametrize(
    "error", [NotFoundError(404, "NotFound", "it is gone"), NoRightError(403, "Forbidden", "User cannot get")]
)
async def test_where_nobody_can_say_whose_it_is_it_stays_a_conflict(error: ApiError) -> None:
    with pytest.raises(ConflictError, match="it is there"):
        await made(LosingCluster(reading=error))
