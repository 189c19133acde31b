"""Who may do what: by one fixed token, and by what Kubernetes says of a token's owner."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kubernetes.aio import client

from novahunt_api.cluster import Cluster, UnavailableError
from novahunt_gateway.access import ACCESS_REVIEWS, TOKEN_REVIEWS, FixedToken, KubernetesAccess
from novahunt_gateway.rights import AwayError, Right

SALES, OTHER = "sales", "other"
EVERY = frozenset(Right)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "token"
    found.write_text("a-long-token\n")
    return found


async def test_the_fixed_token_may_do_everything_in_its_namespaces(file: Path) -> None:
    access = FixedToken(file, frozenset({SALES}))
    assert await access.may("a-long-token", SALES, *Right) == EVERY
    assert await access.may("a-long-token", OTHER, *Right) == frozenset()


@pytest.mark.parametrize("token", ["", "a-long-toke", "a-long-token2", "A-LONG-TOKEN", "ä", "\udcff"])
async def test_another_token_may_do_nothing(file: Path, token: str) -> None:
    assert await FixedToken(file, frozenset({SALES})).may(token, SALES, *Right) == frozenset()


def change(file: Path, content: str | None) -> None:
    file.unlink()
    if content is not None:
        file.write_text(content)


async def test_a_changed_token_counts_at_once(file: Path) -> None:
    access = FixedToken(file, frozenset({SALES}))
    change(file, "new")
    assert await access.may("a-long-token", SALES, Right.GET) == frozenset()
    assert await access.may("new", SALES, Right.GET) == {Right.GET}


@pytest.mark.parametrize("content", [None, "", " \n"], ids=["missing", "empty", "blank"])
async def test_without_a_token_in_the_file_nobody_gets_in(file: Path, content: str | None) -> None:
    change(file, content)
    for token in ("", " ", "a-long-token"):
        assert await FixedToken(file, frozenset({SALES})).may(token, SALES, *Right) == frozenset()


class Reviewing(Cluster):
    """Answers reviews as an API server does, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(client.ApiClient())
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.user: dict[str, Any] | None = {
            "username": "jane",
            "uid": "u-1",
            "groups": ["sales"],
            "extra": {"a": ["b"]},
        }
        self.audiences = ["novahunt"]
        self.verbs = {"get", "list"}
        self.denied = False
        self.away = False

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        del query, content_type, accept
        assert method == "POST"
        if self.away:
            raise UnavailableError(503, "ServiceUnavailable", "not now")
        spec = msgspec.json.decode(msgspec.json.encode(body))["spec"]
        self.asked.append((path, spec))
        status: dict[str, Any]
        if path == TOKEN_REVIEWS:
            known = {"authenticated": True, "user": self.user, "audiences": self.audiences}
            status = known if self.user is not None else {"error": "it is not known"}
        else:
            wanted = spec["resourceAttributes"]
            status = {"allowed": wanted["verb"] in self.verbs and not wanted["subresource"], "denied": self.denied}
        return msgspec.json.encode({"status": status})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_kubernetes_is_asked_whose_token_it_is_and_what_that_one_may() -> None:
    cluster = Reviewing()
    found = await KubernetesAccess(cluster, "novahunt").may("its-token", SALES, *Right)
    assert found == {Right.GET, Right.LIST}, "content is a right of its own"
    reviews = [spec for path, spec in cluster.asked if path == ACCESS_REVIEWS]
    assert cluster.asked[0] == (TOKEN_REVIEWS, {"token": "its-token", "audiences": ["novahunt"]})
    assert len(reviews) == len(Right)
    for review in reviews:
        assert (review["user"], review["uid"], review["groups"]) == ("jane", "u-1", ["sales"])
        assert review["extra"] == {"a": ["b"]}
        assert review["resourceAttributes"]["namespace"] == SALES
        assert review["resourceAttributes"]["resource"] == "domaincollections"
    assert any(review["resourceAttributes"]["subresource"] == "content" for review in reviews)
    await cluster.close()


async def test_answers_are_kept_for_seconds_and_asked_for_again_afterwards() -> None:
    cluster, clock = Reviewing(), Clock()
    access = KubernetesAccess(cluster, "", clock)
    assert await access.may("its-token", SALES, Right.GET) == {Right.GET}
    cluster.verbs.clear()
    assert await access.may("its-token", SALES, Right.GET) == {Right.GET}
    assert len(cluster.asked) == 2
    clock.now = 11
    assert await access.may("its-token", SALES, Right.GET) == frozenset()
    cluster.user = None
    clock.now = 22
    assert await access.may("its-token", SALES, Right.GET) == frozenset()
    await cluster.close()


async def test_what_is_kept_of_one_token_or_namespace_is_not_taken_for_another() -> None:
    cluster = Reviewing()
    access = KubernetesAccess(cluster, "")
    assert await access.may("its-token", SALES, Right.GET) == {Right.GET}
    cluster.verbs.clear()
    assert await access.may("its-token", OTHER, Right.GET) == frozenset()
    cluster.user = None
    assert await access.may("another", SALES, Right.GET) == frozenset()
    await cluster.close()


async def test_a_token_for_others_of_nobody_or_with_a_denied_right_may_do_nothing() -> None:
    cluster = Reviewing()
    cluster.audiences = []
    assert await KubernetesAccess(cluster, "novahunt").may("its-token", SALES, Right.GET) == frozenset()
    cluster.user = {"username": ""}
    assert await KubernetesAccess(cluster, "").may("its-token", SALES, Right.GET) == frozenset()
    cluster.user, cluster.denied = {"username": "jane"}, True
    assert await KubernetesAccess(cluster, "").may("its-token", SALES, Right.GET) == frozenset()
    await cluster.close()


@pytest.mark.parametrize("token", ["", "ä", "x" * 20_000], ids=["none", "no ASCII", "too long"])
async def test_what_can_be_no_token_is_asked_about_nowhere(token: str) -> None:
    cluster = Reviewing()
    assert await KubernetesAccess(cluster, "").may(token, SALES, *Right) == frozenset()
    assert cluster.asked == []
    await cluster.close()


async def test_while_kubernetes_is_away_nobodys_rights_are_known() -> None:
    cluster = Reviewing()
    cluster.away = True
    with pytest.raises(AwayError):
        await KubernetesAccess(cluster, "").may("its-token", SALES, Right.GET)
    await cluster.close()
