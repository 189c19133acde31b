"""Measures the operator over ten thousand domains on simulated nodes: `make bench-scale`.

`DOMAINS` says how many (10,000), `WINDOW` how many Jobs are at work at once (40). The list is given by `domainsFrom`,
then inline, then in ConfigMaps as storage; a bare loop runs before, between and after.
"""

import asyncio
import os
import platform
import sys
import time
from datetime import UTC, datetime

import msgspec

from bench import audit, ground, lags, planning, processes, recorded, scale_table
from bench.bare_loop import Looped
from bench.collection_run import CollectionRun
from bench.storing_pods import RUNS_ON, StoringPods
from cluster.control_plane import ControlPlane

SMALLER = 10
"""What does not grow with the number of domains is measured with so many times fewer of them."""
COLLECTIONS = 5
"""At the start with many results; each has as many as are measured."""

_NO_LIMIT = {"HUNTER_REQUESTS_PER_SECOND": "10000", "HUNTER_REQUESTS_PER_MINUTE": "600000"}
"""The simulated pods have no Hunter that would mind."""


class Measuring:
    """One measurement, step by step."""

    def __init__(self, plane: ControlPlane, domains: int, window: int) -> None:
        self._plane = plane
        self._names = ground.domain_names(domains)
        self._window = window
        self._settings = {"WORKER_CONCURRENCY": str(window), "WORKER_MAX_JOBS_PER_INTERVAL": "0", **_NO_LIMIT}

    async def all(self) -> scale_table.Scale:
        """Take every figure."""
        few = self._names[: max(10, len(self._names) // SMALLER)]
        before = await self.bare(len(few))
        by_list = await self.run("domainsFrom, volume", self._names, inline=False)
        between = await self.bare(len(few))
        inline = await self.run("inline, volume", self._names, inline=True)
        after = await self.bare(len(few))
        stored = await self.run_with_config_maps("domainsFrom, ConfigMaps", few)
        start = await self.start()
        return scale_table.Scale(
            runs=(
                msgspec.structs.replace(by_list, bare_rate=(before + between) / 2),
                msgspec.structs.replace(inline, bare_rate=(between + after) / 2),
                stored,
            ),
            start=start,
            plan_ms=1000 * planning.seconds_of_a_plan(len(self._names), self._window),
            plan_domains=len(self._names),
        )

    async def bare(self, count: int) -> float:
        """Return the Jobs a second of the bare loop."""
        async with ground.place(self._plane, self._settings) as place:
            # Nobody carries it out here: it owns the Jobs, as it would the operator's.
            await place.collect("bare", self._names[:1], wishes={"concurrency": self._window})
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bench.bare_loop", self._plane.kubeconfig, place.namespace, "bare"),
                *(str(self._window), str(count)),
                env={**place.operator.environment(), "PYTHONPATH": os.environ["PYTHONPATH"]},
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
        looped = msgspec.json.decode(output, type=Looped)
        _tell(f"bare loop: {looped.jobs} Jobs in {looped.seconds:.1f} s")
        return looped.jobs / looped.seconds

    async def run(self, name: str, domains: list[str], *, inline: bool) -> scale_table.Run:
        """Let the operator carry a collection out that stores on a volume."""
        async with ground.place(self._plane, self._settings) as place:
            await _start_operator(place)
            uid = await place.collect("scale", domains, inline=inline, wishes={"concurrency": self._window})
            return await self._measure(name, place, uid, domains)

    async def run_with_config_maps(self, name: str, domains: list[str]) -> scale_table.Run:
        """Let the operator carry a collection out that stores in ConfigMaps, and so by its intake."""
        async with ground.place(self._plane, self._settings, receipts=False) as place:
            await _start_operator(place)
            template = {"annotations": RUNS_ON}
            async with asyncio.TaskGroup() as group:
                pods = group.create_task(StoringPods(place).run())
                wishes = {"concurrency": self._window, "jobTemplate": template}
                uid = await place.collect("scale", domains, volume=False, wishes=wishes)
                found = await self._measure(name, place, uid, domains)
                pods.cancel()
        return msgspec.structs.replace(
            found,
            most_writes=scale_table.WRITES_IN_CONFIG_MAPS,
            most_cpu_ms=scale_table.CPU_MS_IN_CONFIG_MAPS,
        )

    async def _measure(self, name: str, place: ground.Place, uid: str, domains: list[str]) -> scale_table.Run:
        run = CollectionRun(place, "scale")
        await run.until_ready(edit_at=len(domains) // 2)
        used = processes.usage(place.operator.pid)
        place.operator.stop()
        calls = list(audit.read(place.audit_log, place.namespace))
        found = scale_table.Run(
            name=name,
            domains=len(domains),
            lags=lags.measure(calls, operator=place.user, collection="scale", uid=uid, domains=domains),
            used=used,
            writes=audit.writes(calls, place.user),
            status_bytes=run.status_bytes,
            object_bytes=run.object_bytes,
            edit_seconds=run.edit_seconds,
        )
        _tell(
            f"{name}: {len(domains)} domains, {found.rate:.1f}/s, {1000 * used.cpu / len(domains):.1f} ms of CPU each"
        )
        return found

    async def start(self) -> scale_table.Start:
        """Start the operator where many results are recorded, and none is to be collected."""
        collections = [f"recorded-{number}" for number in range(COLLECTIONS)]
        async with ground.place(self._plane, self._settings) as place:
            for name in collections:
                await recorded.record(place, name, self._names)
                await place.collect(name, self._names)
            _tell(f"{COLLECTIONS * len(self._names)} results are recorded")
            place.operator.start()
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for name in collections:
                    group.create_task(CollectionRun(place, name).until_ready(seconds=600))
            seconds = time.monotonic() - began
            used = processes.usage(place.operator.pid)
        _tell(f"start: {seconds:.1f} s, {used.peak_mib:.0f} MiB")
        return scale_table.Start(COLLECTIONS * len(self._names), seconds, used)


async def main() -> int:
    """Print the tables; return 1 if a figure misses its bound."""
    domains = int(os.environ.get("DOMAINS") or 10_000)
    window = int(os.environ.get("WINDOW") or 40)
    with ground.control_plane_with_nodes(f"scale{os.getpid()}") as plane:
        found = await Measuring(plane, domains, window).all()
    date, python = f"{datetime.now(UTC):%Y-%m-%d}", platform.python_version()
    head = (
        f"{date}, {window} Jobs at once, controller-manager at --kube-api-qps {ground.QPS} --kube-api-burst "
        f"{ground.BURST}, Python {python}, {os.cpu_count()} processors"
    )
    sys.stdout.write("\n".join([head, "", *scale_table.table(found)]) + "\n")
    missed = scale_table.broken(found)
    for name in missed:
        _tell(f"misses its bound: {name}")
    return 1 if missed else 0


async def _start_operator(place: ground.Place) -> None:
    """Start it and wait until it works: what a start takes is measured apart."""
    place.operator.start()
    await place.collect("first", ["first.example"], wishes={"suspend": True})
    await CollectionRun(place, "first").until_seen()


def _tell(text: str) -> None:
    sys.stderr.write(f"bench-scale: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
