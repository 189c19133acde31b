"""The commands that make a collection, against a cluster in memory: what is made once, and what a person is told."""

from typing import Any

import pytest

from novahunt_api import paths
from novahunt_api.cluster import Cluster, UnavailableError
from novahunt_cli.__main__ import main
from novahunt_cli.exits import Exit
from unit.operator.memory_cluster import MemoryCluster

Objects = dict[str, dict[str, Any]]


class Answers:
    """What happens to the answers to creates; each command connects anew to the same objects."""

    def __init__(self) -> None:
        self.objects: Objects = {}
        self.lost = 0
        """So many are lost, of creates that were done."""
        self.away = False
        """Whether no call is answered, and none is done."""

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
        answer = await super().call_once(method, path, **how)
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
