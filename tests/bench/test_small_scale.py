"""A measurement of few domains on a real control plane, untimed: each part finds what it measures."""

import os

import pytest

from bench import ground
from bench.scale import Measuring

pytestmark = pytest.mark.cluster


@pytest.mark.timeout(2000)
async def test_few_domains_are_run_by_the_bare_loop_and_by_the_operator_in_both_storages() -> None:
    domains = ground.domain_names(12)
    with ground.control_plane_with_nodes(f"b{os.getpid()}", nodes=1) as plane:
        measuring = Measuring(plane, len(domains), window=6)
        assert await measuring.bare(len(domains)) > 0
        runs = [
            await measuring.run("inline", domains, inline=True),
            await measuring.run_with_config_maps("stored", domains),
        ]
        start = await measuring.start()
    for run in runs:
        assert run.writes["create jobs"] == len(domains) == len(run.lags.pod_to_result)
        assert all(lag > 0 for lag in run.lags.job_to_result)
        assert run.used.cpu > 0
        assert 0 < run.status_bytes < run.object_bytes
    assert [run.writes["create domainresults"] for run in runs] == [12, 12]
    # The intake makes the record with the document; its run's end is written over it.
    assert [run.writes["create configmaps"] for run in runs] == [0, 12]
    assert [run.writes["update domainresults"] for run in runs] == [0, 12]
    assert start.results == 5 * len(domains)
