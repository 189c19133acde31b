"""Real clusters for these tests: each has a name of its own, and is taken down whatever happens."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from devcluster.testing import Cluster

_numbers = count()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster that is not started yet, of which nothing may be left in the end."""
    found = Cluster(f"t{os.getpid()}-{next(_numbers)}")
    yield found
    found.down()
    assert found.what_is_left() == []
