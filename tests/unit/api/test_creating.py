"""Creating what others may want as well: the object that is there may be the call's own."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from novahunt_api import names, paths
from novahunt_api.cluster import ApiError, ConflictError, NoRightError, NotFoundError
from novahunt_api.creating import create
from unit.operator.memory_cluster import MemoryCluster

PATH = paths.collections("sales")
BODY: dict[str, Any] = {
    "metadata": {"name": "q4", "namespace": "sales", "annotations": {"note": "mine"}},
    "spec": {"domains": []},
}


class Losing(MemoryCluster):
    """A cluster whose first answer to a create is lost, so that it is made again."""

    async def call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None, **options: Any
    ) -> bytes:
        if method == "POST":
            await super().call(method, path, query=query, body=body, **options)
        return await super().call(method, path, query=query, body=body, **options)


async def test_an_object_is_made_with_what_its_body_says() -> None:
    cluster = MemoryCluster()
    made = msgspec.json.decode(await create(cluster, PATH, BODY))
    assert made == cluster.objects[f"{PATH}/q4"]
    assert made["spec"] == BODY["spec"]
    assert made["metadata"]["annotations"]["note"] == "mine"
    assert names.CALL_ANNOTATION not in BODY["metadata"]["annotations"]


async def test_a_create_whose_answer_was_lost_finds_its_own_object() -> None:
    cluster = Losing()
    made = msgspec.json.decode(await create(cluster, PATH, BODY))
    assert made == cluster.objects[f"{PATH}/q4"]
    assert len(cluster.objects) == 1


@pytest.mark.parametrize("annotations", [{}, {names.CALL_ANNOTATION: "another"}])
async def test_the_object_of_somebody_else_is_in_the_way(annotations: dict[str, str]) -> None:
    cluster = MemoryCluster()
    cluster.put(f"{PATH}/q4", {"metadata": {"name": "q4", "annotations": annotations}})
    with pytest.raises(ConflictError):
        await create(cluster, PATH, BODY)


@pytest.mark.parametrize("error", [NotFoundError(404, "NotFound", ""), NoRightError(403, "Forbidden", "")])
async def test_what_can_not_be_looked_at_is_in_the_way(monkeypatch: pytest.MonkeyPatch, error: ApiError) -> None:
    cluster = MemoryCluster()
    cluster.put(f"{PATH}/q4", {"metadata": {"name": "q4"}})

    def found(_path: str) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(cluster, "_found", found)
    with pytest.raises(ConflictError):
        await create(cluster, PATH, BODY)
