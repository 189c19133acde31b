"""Records results as if earlier operators had done so, for measuring what a start with many of them takes."""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec

from bench.ground import CLAIM, Place
from bench.simulated_receipts import CREDITS, EMAILS
from novahunt_api import names, paths
from novahunt_api.domainresults import Place as Storage
from novahunt_api.domainresults import Result, VolumePlace
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.searchhash import Search, search_hash

_AT_ONCE = 20
_AT = "2026-11-24T12:00:00.000Z"


async def record(place: Place, collection: str, domains: Iterable[str]) -> None:
    """Write one DomainResult for each domain of a collection that stores on a volume."""
    gate = asyncio.Semaphore(_AT_ONCE)
    on_volume = Storage(persistent_volume_claim=VolumePlace(CLAIM, collection))
    path = paths.results(place.namespace)

    async def one(domain: str) -> None:
        async with gate:
            await place.admin.call("POST", path, body=body(place.namespace, collection, domain, on_volume))

    async with asyncio.TaskGroup() as group:
        for domain in domains:
            group.create_task(one(domain))


def body(namespace: str, collection: str, domain: str, storage: Storage, emails: int = EMAILS) -> dict[str, Any]:
    """Return the DomainResult of a run that stored so many addresses somewhere."""
    result = Result(
        domain=domain,
        collection=collection,
        run=1,
        outcome=Outcome.COLLECTED,
        reason=Reason.COLLECTED,
        emails=emails,
        reported=emails,
        credits=CREDITS,
        credits_total=CREDITS,
        month="2026-11",
        credits_month=CREDITS,
        requests=1,
        attempts=1,
        job_id=f"collect-{domain}-1795521600000",
        search_hash=search_hash(Search()),
        max_results=5000,
        collected_at=_AT,
        stored_at=_AT,
        ended_at=_AT,
        sha256="ab" * 32,
        bytes=2345,
        storage=storage,
    )
    labels = {
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.COLLECTION_LABEL: collection,
        names.DOMAIN_HASH_LABEL: names.domain_hash(domain),
        names.DOMAIN_LABEL: domain,
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DomainResult",
        "metadata": {
            "name": names.result_name(collection, domain),
            "namespace": namespace,
            "labels": labels,
            "annotations": {"argocd.argoproj.io/ignore-resource-updates": "true"},
        },
        **msgspec.to_builtins(result),
    }
