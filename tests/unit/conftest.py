"""What several unit tests start with."""

import shutil

import pytest

from devcluster.paths import cache_root
from unit.chart import Helm


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    cached = [path for pattern in ("helm*/helm", "helm*/bin/helm") for path in sorted(cache_root().glob(pattern))]
    program = str(cached[-1]) if cached else shutil.which("helm")
    if program is None:
        pytest.skip("no helm: `python -m devcluster build` makes one")
    return Helm(program, tmp_path_factory.mktemp("helm"))
