"""Measures the gateway beside 10,000 results: status calls, and files of 100,000 addresses; `make bench-gateway`.

The API server is a real one. Documents lie in ConfigMaps, then on a volume.
"""

import asyncio
import os
import platform
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx

from bench import ground, recorded
from bench.processes import usage
from cluster.gateway_process import TOKEN, GatewayProcess
from novahunt_api import parts, paths
from novahunt_api.domainresults import Place as Storage
from novahunt_api.domainresults import VolumePlace
from novahunt_contract import document
from novahunt_contract.document import Document, Item, Source, Verification
from novahunt_contract.receipt import ConfigMapPlace

RESULTS = 10_000
CALLS = 4000
CALLERS = 8
ADDRESSES, DOMAINS = 100_000, 20
"""Of a file, and how many documents they lie in."""

STATUS_PER_SECOND = 200
"""Of one processor (issue 6)."""
MEMORY_MIB = 120

_AT = "2026-11-24T12:00:00.000Z"


class Row(NamedTuple):
    """One line of the table."""

    name: str
    figure: float
    form: str
    bound: str
    is_kept: bool = True


async def measure() -> list[Row]:
    """Take every figure; files by a gateway of their own, which knows no other results."""
    with ground.control_plane_with_nodes(f"gateway{os.getpid()}", 1) as plane:
        async with ground.place(plane, {}, gateway=True) as place:
            await place.collect("recorded", ground.domain_names(RESULTS), inline=True)
            await recorded.record(place, "recorded", ground.domain_names(RESULTS))
            with _gateway(place).running() as gateway:
                started = usage(gateway.pid)
                bare = await _processor_seconds(gateway, ["/openapi.json"])
                asked = [f"/api/collect-status?domain={name}" for name in ground.domain_names(RESULTS)]
                status = await _processor_seconds(gateway, asked)
                after = usage(gateway.pid)
        async with ground.place(plane, {}, gateway=True) as place:
            await _store(place)
            with _gateway(place).running() as gateway:
                before = usage(gateway.pid)
                files = [await _file(gateway, collection) for collection in ("in-config-maps", "on-volume")]
                peak = usage(gateway.pid).peak_mib
    rate = 1 / status
    return [
        Row("memory, started beside 10,000 results", started.peak_mib, "{:.1f} MiB", ""),
        Row("… after the calls", after.peak_mib, "{:.1f} MiB", ""),
        Row("a call that only hands text out", 1000 * bare, "{:.2f} ms", ""),
        Row("a status call", 1000 * status, "{:.2f} ms", ""),
        Row("… of the one before", status / bare, "{:.1f} times", ""),
        Row("status calls a second of one processor", rate, "{:,.0f}", "≥ 200", rate >= STATUS_PER_SECOND),
        Row("memory, started beside 40 results", before.peak_mib, "{:.1f} MiB", ""),
        Row("100,000 addresses out of ConfigMaps, as CSV", files[0], "{:.1f} s", ""),
        Row("100,000 addresses off a volume, as CSV", files[1], "{:.1f} s", ""),
        Row("memory, peak of both", peak, "{:.1f} MiB", "< 120 MiB", peak < MEMORY_MIB),
    ]


def _gateway(place: ground.Place) -> GatewayProcess:
    settings = {
        "NOVAHUNT_GATEWAY_VOLUMES": f"{ground.CLAIM}={place.operator.folder}",
        "NOVAHUNT_GATEWAY_REQUESTS_PER_SECOND": "10000",
        "NOVAHUNT_GATEWAY_BURST": "100000",
    }
    return GatewayProcess(place.plane, place.namespace, place.operator.folder, settings)


async def _store(place: ground.Place) -> None:
    """Store the documents of two collections, and their results."""
    each = ADDRESSES // DOMAINS
    for collection, on_volume in (("in-config-maps", False), ("on-volume", True)):
        domains = [f"large-{number}.example" for number in range(DOMAINS)]
        await place.collect(collection, domains, inline=True, volume=on_volume)
        for domain in domains:
            data = document.encode(_document(domain, each))
            if on_volume:
                storage = _on_volume(place.operator.folder, collection, domain, data)
            else:
                storage = await _in_config_maps(place, collection, domain, data)
            result = recorded.body(place.namespace, collection, domain, storage, each)
            await place.admin.call("POST", paths.results(place.namespace), body=result)


def _document(domain: str, count: int) -> Document:
    def item(number: int) -> Item:
        return Item(
            f"person-{number:05d}@{domain}",
            f"Person Number {number}",
            "Head of Examples",
            0.9,
            f"https://{domain}/people/{number}",
            type="personal",
            sources=(Source(f"https://{domain}/people/{number}", "2026-01-08", "2026-05-22"),),
            verification=Verification("valid", "2026-05-22"),
            department="management",
            seniority="senior",
        )

    return Document(domain, tuple(map(item, range(count))), count, _AT, _AT, f"collect-{domain}-1795521600000")


def _on_volume(folder: Path, collection: str, domain: str, data: bytes) -> Storage:
    (folder / collection).mkdir(exist_ok=True)
    (folder / collection / document.file_name(domain)).write_bytes(data)
    return Storage(persistent_volume_claim=VolumePlace(ground.CLAIM, collection))


async def _in_config_maps(place: ground.Place, collection: str, domain: str, data: bytes) -> Storage:
    split = parts.split(domain, data)
    held = [f"{collection}-{domain}-{number}" for number in range(len(split.contents))]
    for number, name in enumerate(held):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **split.fields(number)}
        await place.admin.call("POST", paths.config_maps(place.namespace), body=body)
    return Storage(config_map=ConfigMapPlace(tuple(held), split.key))


@asynccontextmanager
async def _caller(gateway: GatewayProcess) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=120) as found:
        yield found


async def _processor_seconds(gateway: GatewayProcess, targets: Sequence[str]) -> float:
    """Return the gateway's processor time for one call, by several callers at once on kept connections."""
    before = usage(gateway.pid).cpu

    async def calls(caller: int) -> None:
        async with _caller(gateway) as client:
            for number in range(CALLS // CALLERS):
                answer = await client.get(targets[(caller + number * CALLERS) % len(targets)])
                answer.raise_for_status()

    async with asyncio.TaskGroup() as group:
        for caller in range(CALLERS):
            group.create_task(calls(caller))
    return (usage(gateway.pid).cpu - before) / CALLS


async def _file(gateway: GatewayProcess, collection: str) -> float:
    """Read a collection's file to its end, and return the seconds that it took."""
    began = time.monotonic()
    lines = 0
    async with _caller(gateway) as client, client.stream("GET", f"/api/export-csv?collection={collection}") as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_bytes():
            lines += piece.count(b"\n")
    # The first line is the heading.
    if lines - 1 != ADDRESSES:
        raise RuntimeError(f"the file of {collection} holds {lines - 1:,} addresses and not {ADDRESSES:,}")
    return time.monotonic() - began


async def main() -> int:
    """Print the table; return 1 if a figure misses its bound."""
    rows = await measure()
    date = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} processors"
    table = [f"| {row.name} | {row.form.format(row.figure)} | {row.bound} |" for row in rows]
    sys.stdout.write("\n".join([date, "", "| measured | figure | bound |", "|---|--:|--:|", *table]) + "\n")
    missed = [row.name for row in rows if not row.is_kept]
    for name in missed:
        sys.stderr.write(f"bench-gateway: misses its bound: {name}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
