"""Ends simulated pods as collectors do that store in ConfigMaps: permit, document to the intake, receipt.

One task for each pod, without a process: the pods are KWOK's and run until their end is told here.
"""

import asyncio
import functools
import gzip
import ssl
from dataclasses import dataclass, field

import aiohttp
import msgspec

from bench.ground import Place
from bench.simulated_receipts import CREDITS, EMAILS
from novahunt_api import names, paths, wire
from novahunt_api.cluster import MERGE_PATCH, GoneError, UnavailableError
from novahunt_contract import document as documents
from novahunt_contract import environment as env
from novahunt_contract import intake as contract
from novahunt_contract import keys, receipt
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_contract.searchhash import Search, search_hash

RUNS_ON = {"devcluster.novahunt.io/run-seconds": "86400"}
"""Annotations that keep a simulated pod from ending by itself."""

_AT = "2026-11-24T12:00:00.000Z"
_PAUSE_SECONDS = 0.2


class _Variable(msgspec.Struct):
    name: str
    value: str = ""


class _Container(msgspec.Struct):
    name: str
    env: tuple[_Variable, ...] = ()


class _Spec(msgspec.Struct):
    containers: tuple[_Container, ...]


class _Pod(msgspec.Struct):
    metadata: wire.Meta
    spec: _Spec
    status: wire.PodStatus = wire.PodStatus()

    def variable(self, name: str) -> str:
        return next(each.value for each in self.spec.containers[0].env if each.name == name)


class _TokenStatus(msgspec.Struct):
    token: str


class _Token(msgspec.Struct):
    status: _TokenStatus


@functools.cache
def _trusting(authorities: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authorities)


@dataclass
class StoringPods:
    """All collectors' pods of one namespace."""

    place: Place
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """By pod UID."""

    async def run(self) -> None:
        """End each pod that has started, until cancelled; a pod's error is raised here."""
        path, query = paths.pods(self.place.namespace), {"labelSelector": names.SELECTOR}
        async with asyncio.TaskGroup() as group:
            while True:
                page = await self.place.admin.get(path, wire.Page[_Pod], query)
                for pod in page.items:
                    self._seen(pod, group)
                version = page.metadata.resource_version
                try:
                    async for event in self.place.admin.watch(path, {**query, "resourceVersion": version}):
                        if event.type in ("ADDED", "MODIFIED"):
                            self._seen(msgspec.json.decode(event.object, type=_Pod), group)
                except (GoneError, UnavailableError):
                    continue

    def _seen(self, pod: _Pod, group: asyncio.TaskGroup) -> None:
        if pod.status.phase == "Running" and pod.metadata.uid not in self._tasks:
            self._tasks[pod.metadata.uid] = group.create_task(self._collect(pod))

    async def _collect(self, pod: _Pod) -> None:
        # A connection of its own, as each collector's process has: its handshake is part of what the operator does.
        trusting = aiohttp.TCPConnector(ssl=_trusting(pod.variable(env.INTAKE_AUTHORITIES)))
        async with aiohttp.ClientSession(connector=trusting) as http:
            await self._ask_and_store(pod, _Calls(http, pod.variable(env.INTAKE_URL), await self._token(pod)))

    async def _ask_and_store(self, pod: _Pod, calls: "_Calls") -> None:
        await calls.make("GET", contract.DOCUMENT)
        finger = keys.fingerprint("simulated")
        ask = contract.PermitCall(finger, credits=CREDITS)
        permit = msgspec.json.decode(await calls.make("POST", contract.PERMITS, ask), type=contract.PermitAnswer)
        document = _document(pod)
        stored = msgspec.json.decode(await calls.make("PUT", contract.DOCUMENT, document), type=contract.Stored)
        answered = contract.Answered(permit.permit or "")
        last = contract.PermitCall(finger, wanted=False, answered=answered, spent=CREDITS)
        await calls.make("POST", contract.PERMITS, last)
        await self._end(pod, _receipt(document, stored))

    async def _token(self, pod: _Pod) -> str:
        reference = {"kind": "Pod", "apiVersion": "v1", "name": pod.metadata.name, "uid": pod.metadata.uid}
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [contract.AUDIENCE], "expirationSeconds": 600, "boundObjectRef": reference},
        }
        path = f"/api/v1/namespaces/{self.place.namespace}/serviceaccounts/default/token"
        return (await self.place.admin.create(path, body, _Token)).status.token

    async def _end(self, pod: _Pod, message: str) -> None:
        ended = {"name": names.COLLECTOR, "image": "", "imageID": "", "ready": False, "restartCount": 0}
        state = {"terminated": {"exitCode": 0, "reason": "Completed", "message": message}}
        body = {"status": {"phase": "Succeeded", "containerStatuses": [{**ended, "state": state}]}}
        path = f"{paths.pods(self.place.namespace)}/{pod.metadata.name}/status"
        await self.place.admin.call("PATCH", path, body=body, content_type=MERGE_PATCH)


@dataclass(frozen=True)
class _Calls:
    """Calls to the intake as one pod; while it knows the pod not yet, they are made again."""

    http: aiohttp.ClientSession
    url: str
    token: str

    async def make(self, method: str, path: str, body: contract.PermitCall | documents.Document | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"}
        data = msgspec.json.encode(body) if body is not None else b""
        if isinstance(body, documents.Document):
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data, compresslevel=6, mtime=0)
        while True:
            async with self.http.request(method, self.url + path, data=data, headers=headers) as response:
                answer = await response.read()
            if response.status < 300 or response.status == 404:  # noqa: PLR2004 - done, or no document is stored
                return answer
            if response.status != 503:  # noqa: PLR2004 - not known yet
                raise RuntimeError(f"the intake answered {response.status} to {method} {path}: {answer[:300]!r}")
            await asyncio.sleep(_PAUSE_SECONDS)


def _document(pod: _Pod) -> documents.Document:
    domain = pod.variable(env.DOMAIN)
    items = tuple(
        documents.Item(
            email=f"person-{number}@{domain}",
            name=f"Person {number}",
            title="Engineer",
            confidence=0.9,
            source=f"https://{domain}/people/{number}",
            type="personal",
            sources=(documents.Source(f"https://{domain}/people/{number}", "2026-01-08", "2026-05-22"),),
        )
        for number in range(EMAILS)
    )
    return documents.Document(
        domain=domain,
        items=items,
        total=len(items),
        stored_at=_AT,
        collected_at=_AT,
        job_id=pod.variable(env.JOB_ID),
        collection=pod.variable(env.COLLECTION),
        run=int(pod.variable(env.RUN)),
        reported=len(items),
        search_hash=search_hash(Search()),
        credits=CREDITS,
        requests=1,
    )


def _receipt(document: documents.Document, stored: contract.Stored) -> str:
    told = receipt.Receipt(
        domain=document.domain,
        run=document.run,
        outcome=Outcome.COLLECTED,
        reason=Reason.COLLECTED,
        job_id=document.job_id,
        items=document.total,
        reported=document.reported,
        credits=CREDITS,
        requests=1,
        search_hash=document.search_hash,
        collected_at=document.collected_at,
        stored_at=stored.stored_at,
        sha256=stored.sha256,
        bytes=stored.bytes,
        config_map=stored.config_map,
    )
    return receipt.encode(told).decode()
