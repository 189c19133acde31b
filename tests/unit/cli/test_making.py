"""The commands that make a collection, against a cluster in memory: what is made once, and what a person is told."""

from typing import Any

import msgspec
import pytest

from novahunt_api import names, paths
from novahunt_api.cluster import Cluster, UnavailableError
from novahunt_cli.__main__ import main
from novahunt_cli.exits import Exit
from unit.operator.memory_cluster import MemoryCluster

Objects = dict[str, dict[str, Any]]

ESTIMATED = {
    "observedGeneration": 1,
    "domains": {"total": 1, "succeeded": 1},
    "estimate": {"emails": 70, "credits": 7, "domains": 1},
    "conditions": [{"type": "Ready", "status": "True", "reason": "Estimated", "message": ""}],
}


class Answers:
    """What is held, and what happens to answers; each command connects anew to the same objects."""

    def __init__(self) -> None:
        self.objects: Objects = {}
        self.lost = 0
        """So many are lost, of creates that were done."""
        self.away = False
        """Whether no call is answered, and none is done."""
        self.made: list[str] = []
        """Names of all that was created, kept or not."""

    async def connect(self, **_how: Any) -> Cluster:
        return _Cluster(self)


class _Cluster(MemoryCluster):
    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.objects = answers.objects
        self._answers = answers
        # No retry where the server is away for good: a person's patience is not what is tried here.
        if answers.away:
            self._with_retries = self._call_in_turn

    async def call_once(self, method: str, path: str, **how: Any) -> bytes:
        if self._answers.away:
            raise UnavailableError(0, "TimeoutError", f"no answer to {method} {path}")
        selector = (how.get("query") or {}).get("fieldSelector")
        if selector is not None:
            found = [one for one in self.objects.values() if selector == f"metadata.name={one['metadata']['name']}"]
            return msgspec.json.encode({"metadata": {"resourceVersion": "1"}, "items": found})
        answer = await super().call_once(method, path, **how)
        if method == "POST":
            name = msgspec.json.decode(answer)["metadata"]["name"]
            self._answers.made.append(name)
            # As soon as it is there, the operator has counted.
            self.objects[f"{path}/{name}"]["status"] = ESTIMATED
        if method == "POST" and self._answers.lost:
            self._answers.lost -= 1
            raise UnavailableError(0, "ServerDisconnectedError", f"no answer to {method} {path}")
        return answer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    held = Answers()
    monkeypatch.setattr(Cluster, "connect", held.connect)
    return held


def test_a_collection_whose_first_answer_was_lost_is_made_once(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.lost = 1
    assert main(["collect", "small.example", "--name", "leads", "-n", "sales"]) == Exit.DONE
    assert capsys.readouterr().out == "domaincollection.novahunt.io/leads created\n"
    assert set(answers.objects) == {paths.collections("sales", "leads")}


def test_a_name_that_somebody_else_has_is_taken(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["collect", "small.example", "--name", "leads", "-n", "sales"]
    assert main(command) == Exit.DONE
    assert main(command) == Exit.ERROR
    assert "take another name" in capsys.readouterr().err
    assert len(answers.objects) == 1


def test_without_any_answer_a_person_is_told_to_look_before_making_it_again(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.away = True
    assert main(["collect", "small.example", "--name", "leads", "-n", "sales"]) == Exit.ERROR
    told = capsys.readouterr().err
    assert "can't be reached" in told
    assert "see `novahunt status leads`: it may be there" in told
    assert told.count("\n") == 1


def test_an_estimate_of_a_long_domain_is_made_under_a_valid_name_and_leaves_nothing(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    domains = ["international-business-consulting.com", *(f"d{number}.example" for number in range(11))]
    assert main(["estimate", *domains, "-n", "sales"]) == Exit.DONE
    assert "70" in capsys.readouterr().out
    assert [len(name) <= names.MAX_LABEL for name in answers.made] == [True]
    assert not answers.objects


@pytest.mark.parametrize("name", ["leads", "collect-a.example"])
def test_the_estimate_of_a_collection_is_shown_whether_its_name_has_a_dot_or_not(
    name: str, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    held = {"metadata": {"name": name, "namespace": "sales"}, "spec": {}, "status": ESTIMATED}
    answers.objects[paths.collections("sales", name)] = held
    assert main(["estimate", name, "-n", "sales", "-o", "json"]) == Exit.DONE
    assert msgspec.json.decode(capsys.readouterr().out)["emails"] == 70
    assert not answers.made


def test_a_domain_that_no_collection_is_named_after_is_estimated(answers: Answers) -> None:
    assert main(["estimate", "small.example", "-n", "sales"]) == Exit.DONE
    assert [name.startswith("estimate-small-example-") for name in answers.made] == [True]


def test_a_url_is_never_a_collections_name(answers: Answers) -> None:
    held = {"metadata": {"name": "small.example", "namespace": "sales"}, "spec": {}}
    answers.objects[paths.collections("sales", "small.example")] = held
    assert main(["estimate", "https://small.example/", "-n", "sales"]) == Exit.DONE
    assert len(answers.made) == 1


def test_a_word_that_is_neither_a_collection_nor_a_domain_is_not_found(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estimate", "absent", "-n", "sales"]) == Exit.NOT_FOUND
    assert "absent" in capsys.readouterr().err
    assert not answers.made
