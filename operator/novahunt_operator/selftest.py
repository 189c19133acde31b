"""Checks a release from inside its cluster, for `helm test`: run as `python -m novahunt_operator.selftest`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import backoff

from novahunt_api import names, paths
from novahunt_api.cluster import ApiError, Cluster, NoRightError, NotFoundError
from novahunt_api.variables import SettingsError, Variables

READY_SECONDS = 60.0
"""How long a program that has just been installed is waited for."""

_PAUSE_SECONDS = 2.0
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be checked."""

    namespaces: tuple[str, ...]
    """Where both kinds must be served."""
    programs: tuple[tuple[str, str], ...]
    """Names of programs, and the URLs by which their Services answer probes."""


class FailedError(Exception):
    """A check that failed; the text says what to do."""


def read(environ: Mapping[str, str] = os.environ) -> Release:
    """Read what to check from the environment, as the chart sets it.

    Raises:
        SettingsError: a variable can't be used.
    """
    variables = Variables(environ)
    programs = [("operator", variables.url("NOVAHUNT_SELFTEST_OPERATOR"))]
    if environ.get("NOVAHUNT_SELFTEST_GATEWAY", "").strip():
        programs.append(("gateway", variables.url("NOVAHUNT_SELFTEST_GATEWAY")))
    return Release(variables.names("NOVAHUNT_NAMESPACES"), tuple(programs))


async def check(release: Release, cluster: Cluster, patience: float = READY_SECONDS) -> AsyncIterator[tuple[bool, str]]:
    """Make all checks, and yield for each whether it passed, and a sentence.

    Args:
        release: What is checked.
        cluster: Where.
        patience: Seconds for which a program may yet become ready.
    """
    checks = [
        *((f"namespace {namespace} takes both kinds", _kinds(cluster, namespace)) for namespace in release.namespaces),
        *((f"the {name} is ready", _ready(name, url, patience)) for name, url in release.programs),
    ]
    for what, work in checks:
        try:
            await work
        except FailedError as error:
            yield False, str(error)
        else:
            yield True, what


async def _kinds(cluster: Cluster, namespace: str) -> None:
    """Have the API server take a collection on trial, which stores nothing, and list results."""
    trial = {
        "apiVersion": names.API_VERSION,
        "kind": "DomainCollection",
        "metadata": {"generateName": "selftest-", "namespace": namespace},
        "spec": {"domains": ["example.com"], "suspend": True},
    }
    try:
        await cluster.call("POST", paths.collections(namespace), query={"dryRun": "All"}, body=trial)
        await cluster.call("GET", paths.results(namespace), query={"limit": "1"})
    except NoRightError as error:
        raise FailedError(
            f"namespace {namespace}: the test's own account may not look ({error.message}): is the chart's Role for it "
            "there (kubectl get role,rolebinding)?"
        ) from None
    except NotFoundError as error:
        raise FailedError(
            f"namespace {namespace}: the API server does not know the namespace or a kind ({error.message}): install "
            "with crds.enabled=true or apply crds/, and see that watchNamespaces names namespaces that are there"
        ) from None
    except ApiError as error:
        raise FailedError(
            f"namespace {namespace}: a collection is refused ({error.message}): if the kinds are of another version, "
            "upgrade with crds.enabled=true or apply crds/"
        ) from None


async def _ready(name: str, url: str, patience: float) -> None:
    """Ask a program by its Service whether it is ready, until it is."""
    asking = backoff.on_exception(
        backoff.constant, FailedError, interval=_PAUSE_SECONDS, max_time=patience, jitter=None, logger=None
    )
    await asking(_ask)(name, f"{url}/readyz")


async def _ask(name: str, url: str) -> None:
    hint = f"see `kubectl get pods` and the {name}'s log"
    limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as answer:
            text = (await answer.text()).strip()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise FailedError(
            f"the {name} does not answer at {url} ({type(error).__name__}): {hint}; where NetworkPolicies hold, this "
            "pod must reach its port for metrics"
        ) from None
    if answer.status != 200:  # noqa: PLR2004 - OK
        raise FailedError(f"the {name} is not ready ({text or answer.status}): {hint}")


async def _main(release: Release) -> bool:
    cluster = await Cluster.connect(program="novahunt-selftest", patience=READY_SECONDS / 2)
    try:
        passed = [_told(good, text) async for good, text in check(release, cluster)]
    finally:
        await cluster.close()
    return all(passed)


def _told(good: bool, text: str) -> bool:  # noqa: FBT001 - passed on
    sys.stdout.write(f"{'ok' if good else 'FAILED'}: {text}\n")
    return good


def run() -> None:
    """Check, tell, and exit with 0 where all is well, 1 where something failed, 2 on settings that can't be used."""
    try:
        release = read()
    except SettingsError as error:
        sys.stderr.write(f"novahunt-selftest: {error}\n")
        sys.exit(2)
    sys.exit(0 if asyncio.run(_main(release)) else 1)


if __name__ == "__main__":
    run()
