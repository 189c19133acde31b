"""Commands over several collections: what goes wrong with one keeps no other from its turn, and everything is told."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from novahunt_api import paths
from novahunt_api.cluster import ApiError, Cluster, NoRightError, NotFoundError, UnavailableError
from novahunt_cli.__main__ import main
from novahunt_cli.exits import Exit
from unit.operator.memory_cluster import MemoryCluster

SECRET = "/api/v1/namespaces/sales/secrets/dnc"
NOW = "2026-11-27T06:00:00Z"
AWAY = UnavailableError(0, "TimeoutError", "no answer")
FORBIDDEN = NoRightError(403, "Forbidden", 'User "u" cannot patch resource "domaincollections"')
GONE = NotFoundError(404, "NotFound", 'domaincollections "q2" not found')


class Sales:
    """A namespace with three collections that name one list; each command connects anew to it."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.refuse: Callable[[str, str], ApiError | None] = lambda _method, _path: None
        first = _Cluster(self)
        spec = {"domains": ["a.example"], "suppressionFrom": [{"secretKeyRef": {"name": "dnc", "key": "list"}}]}
        for name in ("q1", "q2", "q3"):
            first.put(paths.collections("sales", name), {"metadata": _metadata(name), "spec": spec})
        first.put(SECRET, {"metadata": {"name": "dnc", "namespace": "sales"}, "data": {}})

    async def connect(self, **_how: Any) -> Cluster:
        return _Cluster(self)

    def held(self, field: str) -> dict[str, Any]:
        found = self.objects.items()
        return {path.rpartition("/")[2]: one["spec"].get(field) for path, one in found if path != SECRET}

    def entries(self) -> str:
        return base64.b64decode(self.objects[SECRET]["data"]["list"]).decode()


class _Cluster(MemoryCluster):
    """What an operator would do at once, a sweep, is done with the call that asks for it."""

    def __init__(self, sales: Sales) -> None:
        super().__init__()
        self.objects = sales.objects
        self._sales = sales
        self._with_retries = self._call_in_turn

    async def call_once(self, method: str, path: str, **how: Any) -> bytes:
        error = self._sales.refuse(method, path)
        if error is not None:
            raise error
        if method == "GET" and path == paths.collections("sales"):
            selector = (how.get("query") or {}).get("fieldSelector", "metadata.name=").partition("=")[2]
            held = [one for at, one in self.objects.items() if at != SECRET]
            items = [one for one in held if selector in ("", one["metadata"]["name"])]
            return msgspec.json.encode({"metadata": {"resourceVersion": "1"}, "items": items})
        answer = await super().call_once(method, path, **how)
        if (how.get("query") or {}).get("fieldManager") == "novahunt-forget":
            swept = {"sweep": {"at": "2026-11-27T06:00:01.000Z", "of": f"new {path}", "documents": 1, "emails": 1}}
            self.objects[path] |= {"status": swept}
        return answer


def _metadata(name: str) -> dict[str, Any]:
    managed = [{"manager": "novahunt-forget", "time": NOW}]
    fixed = {"creationTimestamp": NOW, "generation": 1, "managedFields": managed}
    return {"name": name, "namespace": "sales", "uid": f"uid-{name}", **fixed}


@pytest.fixture
def sales(monkeypatch: pytest.MonkeyPatch) -> Sales:
    found = Sales()
    monkeypatch.setattr(Cluster, "connect", found.connect)
    return found


def refusing(error: ApiError, name: str) -> Callable[[str, str], ApiError | None]:
    return lambda method, path: error if method == "PATCH" and path.endswith(f"/{name}") else None


def test_each_is_changed_that_is_there_and_the_missing_one_is_named(
    sales: Sales, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suspend", "q1", "nope", "q3", "-n", "sales"]) == Exit.NOT_FOUND
    assert sales.held("suspend") == {"q1": True, "q2": None, "q3": True}
    told = capsys.readouterr()
    assert [line.split("/")[1] for line in told.out.splitlines()] == ["q1 suspended", "q3 suspended"]
    assert "nope" in told.err


def test_a_cluster_that_goes_away_ends_it_and_what_was_asked_for_is_told(
    sales: Sales, capsys: pytest.CaptureFixture[str]
) -> None:
    sales.refuse = refusing(AWAY, "q2")
    assert main(["retry", "q1", "q2", "q3", "--all-domains", "-n", "sales"]) == Exit.ERROR
    wishes = sales.held("recollect")
    assert (wishes["q1"] is not None, wishes["q2"], wishes["q3"]) == (True, None, None)
    assert capsys.readouterr().out.splitlines() == ["domaincollection.novahunt.io/q1 asked to run again"]


@pytest.mark.parametrize(
    ("error", "code", "word"), [(GONE, Exit.DONE, "deleted"), (FORBIDDEN, Exit.NOT_ALLOWED, "not allowed")]
)
def test_what_can_not_be_swept_keeps_no_other_from_it(
    sales: Sales, capsys: pytest.CaptureFixture[str], error: ApiError, code: Exit, word: str
) -> None:
    sales.refuse = refusing(error, "q2")
    assert main(["forget", "jane@a.example", "-n", "sales"]) == code
    assert sales.entries() == "jane@a.example\n"
    told = capsys.readouterr()
    assert [line.partition(":")[0] for line in told.out.splitlines()] == ["q1", "q3"]
    assert ("q2" in told.err, word in told.err) == (True, True)
    assert ("the entry is in secret/dnc/list, but q2" in told.err) == (code != Exit.DONE)


def test_collections_are_named_only_where_the_list_is_added_to_them(
    sales: Sales, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forget", "jane@a.example", "--collection", "q1", "-n", "sales"]) == Exit.USAGE
    assert "--create" in capsys.readouterr().err
    assert not sales.objects[SECRET]["data"]
