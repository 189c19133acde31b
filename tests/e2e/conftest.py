"""Fixtures for tests on the whole node."""

import os
from collections.abc import Iterator

import pytest

from e2e.node import Node, running_node


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time the tests without their fixtures: the first of them may have to build Kubernetes and the images."""
    for item in items:
        if item.get_closest_marker("node") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(420, func_only=True))


@pytest.fixture(scope="session")
def whole_node() -> Iterator[Node]:
    """The node of this process."""
    with running_node(f"e2e{os.getpid()}") as node:
        yield node


@pytest.fixture
def node(whole_node: Node) -> Node:
    """The node as new: no collection, no result, an empty volume, a fresh simulator, a valid key."""
    whole_node.clear()
    whole_node.reset_simulator()
    whole_node.set_key()
    return whole_node


@pytest.fixture
def left_clean(node: Node) -> Iterator[Node]:
    """The node, for a test that installs the release in another way: it is left as the other tests have it."""
    yield node
    node.install()
