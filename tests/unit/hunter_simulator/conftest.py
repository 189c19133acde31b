"""A fresh simulator for each test."""

import pytest

from unit.hunter_simulator.asking import Asking


@pytest.fixture
def hunter() -> Asking:
    return Asking()
