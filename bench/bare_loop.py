"""The least that runs a Job for each domain: creates it, waits for its end, and goes on. What the operator is held to.

Run as `bare_loop.py KUBECONFIG NAMESPACE COLLECTION WINDOW DOMAINS`: the Jobs are those that the operator would make
for that collection, whose settings it reads from the same environment. Prints its figures as JSON.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.ground import connect, domain_names
from novahunt_api import domaincollections, names, paths, wire
from novahunt_api.cluster import Cluster
from novahunt_api.domaincollections import Collection
from novahunt_operator import jobs
from novahunt_operator.planner import Start
from novahunt_operator.settings import CollectorSettings, read


class Looped(msgspec.Struct, frozen=True):
    """What the loop did."""

    jobs: int
    seconds: float
    """From the first create to the last end."""
    cpu: float
    """Seconds of processor time, from then to then."""


class _Loop:
    def __init__(self, cluster: Cluster, collection: Collection, settings: CollectorSettings, window: int) -> None:
        self._cluster = cluster
        self._collection = collection
        self._settings = settings
        self._free = asyncio.Semaphore(window)
        self._running: set[str] = set()

    async def run(self, count: int) -> Looped:
        watching = asyncio.create_task(self._watch(await self._version()))
        creating = set()
        began, used = time.monotonic(), time.process_time()
        for domain in domain_names(count):
            await self._free.acquire()
            task = asyncio.create_task(self._create(domain))
            creating.add(task)
            task.add_done_callback(creating.discard)
        await asyncio.gather(*creating)
        while self._running:  # noqa: ASYNC110 - the watch empties it
            await asyncio.sleep(0.01)
        seconds, cpu = time.monotonic() - began, time.process_time() - used
        watching.cancel()
        return Looped(count, seconds, cpu)

    async def _create(self, domain: str) -> None:
        body = jobs.build(self._collection, Start(domain, 1, None), self._settings, datetime.now(UTC))
        self._running.add(body["metadata"]["name"])
        await self._cluster.call("POST", self._path, body=body)

    async def _watch(self, version: str) -> None:
        query = {"labelSelector": names.SELECTOR, "resourceVersion": version}
        while True:
            async for event in self._cluster.watch(self._path, query):
                version = msgspec.json.decode(event.object, type=wire.Versioned).metadata.resource_version
                if event.type == "MODIFIED":
                    self._seen(msgspec.json.decode(event.object, type=wire.JobObject))
            query["resourceVersion"] = version

    def _seen(self, job: wire.JobObject) -> None:
        ended = any(condition.type in ("Complete", "Failed") for condition in job.status.conditions)
        if ended and job.metadata.name in self._running:
            self._running.discard(job.metadata.name)
            self._free.release()

    async def _version(self) -> str:
        page = await self._cluster.get(self._path, wire.Page[wire.JobObject], {"limit": "1"})
        return page.metadata.resource_version

    @property
    def _path(self) -> str:
        return paths.jobs(self._collection.key.namespace)


async def main(kubeconfig: Path, namespace: str, collection: str, window: int, count: int) -> None:
    """Run the loop and print what it did."""
    cluster = await connect(kubeconfig)
    try:
        raw = await cluster.get(paths.collections(namespace, collection), dict[str, Any])
        loop = _Loop(cluster, domaincollections.read(raw), read().collector, window)
        sys.stdout.write(msgspec.json.encode(await loop.run(count)).decode())
    finally:
        await cluster.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
