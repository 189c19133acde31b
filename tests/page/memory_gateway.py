"""A gateway in memory for tests of the page: three tokens, a few collections, and all that was asked of it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI

import builders
from novahunt_api import domaincollections
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import StoredResult
from novahunt_client.exports import Form
from novahunt_contract.outcomes import Outcome
from novahunt_gateway.errors import RefusedError, TakenError
from novahunt_gateway.page.port import Wish
from novahunt_gateway.page.routes import Page
from novahunt_gateway.page.sessions import Seal
from novahunt_gateway.rights import Right

ALL, READER, WRITER = "token-of-all", "token-of-reader", "token-of-writer"
HOSTILE = '<script>alert(1)</script>" onload="x'


class MemoryGateway:
    """Holds collections; what is made or patched shows at once."""

    namespace = "sales"

    def __init__(self) -> None:
        self.rights = {
            ALL: frozenset(Right),
            READER: frozenset({Right.LIST, Right.GET}),
            WRITER: frozenset({Right.CREATE, Right.PATCH, Right.CONTENT}),
        }
        self.held: dict[str, Collection] = {}
        self.found: dict[str, list[StoredResult]] = {}
        self.made: list[Wish] = []
        self.patches: list[tuple[str, dict[str, object]]] = []
        self.refuse: str | None = None

    async def may(self, token: str, *rights: Right) -> frozenset[Right]:
        return self.rights.get(token, frozenset()) & set(rights)

    def collections(self) -> Sequence[Collection]:
        return tuple(self.held.values())

    def collection(self, name: str) -> Collection | None:
        return self.held.get(name)

    def results(self, name: str) -> Sequence[StoredResult]:
        return tuple(self.found.get(name, ()))

    async def create(self, wish: Wish) -> None:
        if self.refuse:
            raise RefusedError(self.refuse)
        if wish.name in self.held:
            raise TakenError
        self.made.append(wish)
        self.hold(wish.name, spec={"domains": list(wish.domains), "mode": "Estimate" if wish.estimate else "Collect"})

    async def patch(self, name: str, spec: dict[str, object]) -> None:
        if self.refuse:
            raise RefusedError(self.refuse)
        self.patches.append((name, spec))

    async def export(self, name: str, form: Form) -> AsyncIterator[bytes]:
        return self._exported(name, form)

    async def _exported(self, name: str, form: Form) -> AsyncIterator[bytes]:
        yield f"{name} as {form}\r\n".encode()

    def hold(
        self, name: str, *, spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None
    ) -> Collection:
        """Hold a collection, from fields as they come over the wire."""
        raw = {
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "uid": f"uid-{name}",
                "resourceVersion": "7",
                "generation": 1,
                "creationTimestamp": "2026-11-24T11:00:00Z",
            },
            "spec": spec or {},
            "status": status or {},
        }
        self.held[name] = found = domaincollections.read(raw)
        return found


def working(gateway: MemoryGateway, name: str = "q4-prospects", done: int = 47, used: int = 402) -> None:
    """Hold a collection of 120 domains at work, one of which failed for a reason that tries to be markup."""
    domains = [f"company-{number}.example" for number in range(120)]
    gateway.hold(
        name,
        spec={"domains": domains, "budget": {"maxCredits": 500}},
        status={
            "observedGeneration": 1,
            "progress": done * 100 // 120,
            "domains": {
                "total": 120,
                "succeeded": done - 2,
                "failed": 2,
                "running": 2,
                "waiting": 120 - done - 2,
                "invalid": 1,
            },
            "running": [
                {"domain": domains[118], "percent": 40, "emails": 30},
                {"domain": domains[119], "percent": 80, "emails": 71},
            ],
            "emails": 3811,
            "credits": {"used": used, "reserved": 20, "limit": 500, "worstCase": 500},
            "rate": "31/min",
            "estimatedCompletionTime": "2026-11-24T13:10:00.000Z",
            "failures": [{"domain": domains[0], "reason": "Interrupted", "message": HOSTILE}],
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "Collecting", "message": "2 domains run"},
                {"type": "Reconciling", "status": "True", "reason": "Collecting"},
                {"type": "Waiting", "status": "True", "reason": "Concurrency", "message": "71 domains wait for a slot"},
            ],
        },
    )
    outcomes = [(Outcome.FAILED, "Interrupted", HOSTILE), (Outcome.FAILED, "Claimed", "Hunter was asked to stop (451)")]
    outcomes += [(Outcome.COLLECTED, "Collected", "")] * (done - 2)
    gateway.found[name] = [
        builders.stored(builders.result(domain, outcome=outcome, reason=reason, message=message))
        for domain, (outcome, reason, message) in zip(domains, outcomes, strict=False)
    ]


def finished(gateway: MemoryGateway, name: str = "berlin") -> None:
    """Hold a collection that is done."""
    gateway.hold(
        name,
        spec={"domains": ["example.com"]},
        status={
            "observedGeneration": 1,
            "progress": 100,
            "domains": {"total": 1, "succeeded": 1},
            "emails": 120,
            "credits": {"used": 12},
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "Completed", "message": "1 of 1 domain is done"}
            ],
        },
    )
    gateway.found[name] = [builders.stored(builders.result("example.com", emails=120))]


def app_of(gateway: MemoryGateway, *, history: int = 0) -> FastAPI:
    """Return an app that is the page alone; with so many samples of a past in which all went well."""
    app, page = FastAPI(), Page(gateway, Seal())
    page.install(app)
    for step in range(history):
        if "q4-prospects" in gateway.held:
            working(gateway, done=min(47, 5 + step), used=min(402, 9 * step))
        page.sample(datetime.now(UTC) - timedelta(seconds=10 * (history - step)))
    return app
