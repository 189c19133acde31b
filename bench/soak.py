"""Holds the operator to a key's whole allowance, and to nothing beyond it, for minutes: `make soak`.

Six collections in three namespaces share two keys and have far more to do than these allow. `SECONDS` says for how
long (600). The simulator enforces both windows of each key, as Hunter does, and its log is what is counted.
"""

import asyncio
import os
import platform
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec

from bench import processes
from bench.ground import CLAIM
from bench.soak_ground import KEYS, NAMESPACES, SoakGround, soak_ground
from cluster import control_plane
from hunter_simulator import Entry, Report, fingerprint
from novahunt_api import paths, wire
from novahunt_api.statusobject import CollectionStatus, DomainCounts

PER_SECOND, PER_MINUTE = 15, 500
LEAST_SHARE = 95
"""Percent of the allowance that must be used while work waits."""

CONCURRENCY = 2
"""Of each collection: six of them keep twelve collectors at work."""
ADDRESSES = 5000
"""Of each domain: fifty pages."""

_START_SECONDS = 120


class KeyFigures(msgspec.Struct, frozen=True):
    """What one key's collectors did in the measured time, counted where Hunter would count it."""

    name: str
    requests: int
    share: float
    """Percent of the allowance."""
    refused: int
    """Requests that came too fast."""
    most_in_a_second: int
    most_in_a_minute: int
    least_in_a_minute: int
    """Of the whole minutes, one after the other."""


class _Collection(msgspec.Struct):
    metadata: wire.Meta
    status: CollectionStatus = CollectionStatus()


def figures(report: Report, key: str, minutes: int) -> KeyFigures:
    """Count what one key did in so many minutes from the first request of any key."""
    began = report.log[0].clock
    entries = [entry for entry in report.log if entry.key == fingerprint(key) and entry.clock < began + 60 * minutes]
    each = Counter(int((entry.clock - began) // 60) for entry in entries)
    whole = report.of_key(key)
    return KeyFigures(
        name=key,
        requests=len(entries),
        share=100 * len(entries) / (PER_MINUTE * minutes),
        refused=sum(_is_refused(entry) for entry in entries),
        most_in_a_second=whole.most_in_a_second,
        most_in_a_minute=whole.most_in_a_minute,
        least_in_a_minute=min(each[minute] for minute in range(minutes)),
    )


async def soak(ground: SoakGround, minutes: int) -> list[_Collection]:
    """Give both keys more work than so many minutes allow, and return the collections as they are at the end.

    Raises:
        TimeoutError: no request was made.
    """
    pages = -(-PER_MINUTE * (minutes + 2) // (len(NAMESPACES) * ADDRESSES // 100)) + 2 * CONCURRENCY
    names = [(namespace, f"key-{key}") for namespace in NAMESPACES for key in range(len(KEYS))]
    for number, (namespace, name) in enumerate(names):
        domains = [f"{name}-{namespace}-{index}.example" for index in range(pages)]
        for domain in domains:
            ground.simulator.set_domain(domain, ADDRESSES)
        # Every third one stores in ConfigMaps, the others on volumes.
        volume = {"storage": {"persistentVolumeClaim": {"claimName": CLAIM}}} if number % 3 else {}
        wishes: dict[str, Any] = {"concurrency": CONCURRENCY, "maxResults": ADDRESSES, **volume}
        await ground.collect(namespace, name, number % len(KEYS), domains, **wishes)
    async with asyncio.timeout(_START_SECONDS):
        while not ground.simulator.report(with_log=False).requests:  # noqa: ASYNC110 - the condition is a server's
            await asyncio.sleep(0.05)
    began = time.monotonic()
    while (left := began + 60 * minutes - time.monotonic()) > 0:
        await asyncio.sleep(min(left, 30))
        done = ground.simulator.report(with_log=False)
        _tell(f"{time.monotonic() - began:4.0f} s: {done.requests} requests, {done.throttled} refused")
    found = [ground.admin.get(paths.collections(space, name), _Collection) for space, name in names]
    return list(await asyncio.gather(*found))


async def main() -> int:
    """Print the table; return 1 if a promise is not kept."""
    minutes = max(1, int(os.environ.get("SECONDS") or 600) // 60)
    settings = {"WORKER_CONCURRENCY": str(len(NAMESPACES) * len(KEYS) * CONCURRENCY)}
    with control_plane.running(f"soak{os.getpid()}") as plane:
        async with soak_ground(plane, settings) as ground:
            collections = await soak(ground, minutes)
            used = processes.usage(ground.operator.pid)
            report = ground.simulator.report()
    keys = [figures(report, key, minutes) for key in KEYS]
    sys.stdout.write("\n".join(_table(keys, collections, minutes, used)) + "\n")
    missed = [*_missed(keys), *_idle(collections)]
    for text in missed:
        _tell(text)
    return 1 if missed else 0


def _table(keys: list[KeyFigures], collections: list[_Collection], minutes: int, used: processes.Usage) -> list[str]:
    done = sum(_count(collection).succeeded for collection in collections)
    waiting = sum(_count(collection).waiting for collection in collections)
    date, python = f"{datetime.now(UTC):%Y-%m-%d}", platform.python_version()
    lines = [f"{date}, {minutes} minutes, Python {python}, {os.cpu_count()} processors", ""]
    lines += [f"| key | {' | '.join(key.name for key in keys)} | bound |", f"|---|{'--:|' * (len(keys) + 1)}"]
    rows = (
        ("requests", [f"{key.requests:,}" for key in keys], f"≤ {PER_MINUTE * minutes:,}"),
        ("of the allowance", [f"{key.share:.1f} %" for key in keys], f"≥ {LEAST_SHARE} %"),
        ("refused as too fast", [str(key.refused) for key in keys], "0"),
        ("most in any second", [str(key.most_in_a_second) for key in keys], f"≤ {PER_SECOND}"),
        ("most in any minute", [str(key.most_in_a_minute) for key in keys], f"≤ {PER_MINUTE}"),
        ("least in a minute", [str(key.least_in_a_minute) for key in keys], ""),
    )
    lines += [f"| {name} | {' | '.join(values)} | {bound} |" for name, values, bound in rows]
    lines.append("")
    lines.append(
        f"{done} domains of {ADDRESSES:,} addresses were done in {len(collections)} collections, {waiting} waited."
    )
    lines.append(f"The operator took {used.cpu:.1f} s of processor time and at most {used.peak_mib:.0f} MiB.")
    return lines


def _missed(keys: list[KeyFigures]) -> list[str]:
    found = [f"{key.name}: {key.share:.1f} % of the allowance" for key in keys if key.share < LEAST_SHARE]
    return found + [f"{key.name}: {key.refused} requests were refused" for key in keys if key.refused]


def _idle(collections: list[_Collection]) -> list[str]:
    """Name the collections that ran out of work: then what was measured is not what was asked."""
    return [f"{one.metadata.name} had nothing left to do" for one in collections if not _count(one).waiting]


def _count(collection: _Collection) -> DomainCounts:
    return collection.status.domains or DomainCounts()


def _is_refused(entry: Entry) -> bool:
    return entry.outcome == "throttled"


def _tell(text: str) -> None:
    sys.stderr.write(f"soak: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
