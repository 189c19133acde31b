"""The operator's pod killed at random while a collection runs: the same result, and nothing runs twice."""

import random
import time

import pytest

from e2e.node import OPERATORS, SALES, SYSTEM, Node
from hunter_simulator import truth

pytestmark = pytest.mark.node

KILLS = 5


def test_five_kills_lose_and_double_nothing(node: Node) -> None:
    sizes = {f"n{size}.example": size for size in (2, 25, 160, 270, 35, 0, 320, 48, 66, 77, 9, 115)}
    node.slow_down(0.2)
    chance = random.Random(11)
    node.collect("killed", sizes, concurrency=4)
    recorded: dict[str, int] = {}
    for _ in range(KILLS):
        time.sleep(chance.uniform(1, 5))  # the moment is what is being varied
        recorded |= {domain: result.run for domain, result in node.results("killed").items() if result.run}
        node.kubectl("delete", "pod", "-n", SYSTEM, "-l", OPERATORS, "--force", "--grace-period=0")
        node.wait_for_leader()
    node.ready("killed", 300)
    results, documents, report = node.results("killed"), node.documents("killed"), node.report()
    for domain, size in sizes.items():
        assert {item.email for item in documents[domain].items} == {person.value for person in truth(domain, size)}
    assert {domain: results[domain].run for domain in recorded} == recorded, "a recorded domain ran again"
    assert sum(result.credits_total for result in results.values()) == report.credits
    key = report.of_key("demo-key")
    assert (key.most_in_a_second <= 15, key.most_in_a_minute <= 500) == (True, True)
    failed = node.kubectl("get", "jobs", "-n", SALES, "-l", "novahunt.io/collection=killed", "-o", "name")
    assert failed.strip(), "the newest finished Jobs are kept as history"
