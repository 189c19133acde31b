"""The REST calls: one domain's job, many domains at once, and their addresses as a file."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer

from novahunt_api.cluster import ApiError, Cluster
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.objects import Key
from novahunt_client.documents import ConfigMapDocuments, Documents, FolderDocuments, UnreadableError
from novahunt_client.exports import Form, export, merged
from novahunt_contract import domains, times
from novahunt_gateway import jobs
from novahunt_gateway.answers import (
    CollectJob,
    Enqueued,
    Listed,
    Made,
    NewCollection,
    Refused,
    Shown,
    Status,
)
from novahunt_gateway.gate import AGAIN, PREFIX, Caller, caller_of
from novahunt_gateway.objects import Objects
from novahunt_gateway.rights import Right
from novahunt_gateway.writing import BusyError, RefusedError, TakenError, Writing

_bearer = HTTPBearer(auto_error=False, description="The gateway's token, or a Kubernetes token.")
"""Only shows on the OpenAPI page that a token is needed: `gate` has looked at it before any route does."""


def _refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": Refused} for code in (401, 403, 413, 408, 429, 503, *codes)}


class Rest:
    """The routes."""

    def __init__(
        self,
        *,
        namespace: str,
        volumes: Mapping[str, Path],
        cluster: Cluster,
        objects: Objects,
        writing: Writing,
    ) -> None:
        """Take the gateway's own namespace, where its claims are mounted, and what it acts with."""
        self._namespace = namespace
        self._volumes = volumes
        self._cluster = cluster
        self._objects = objects
        self._writing = writing

    def router(self) -> APIRouter:
        """Return all routes."""
        found = APIRouter(prefix=PREFIX, dependencies=[Depends(_bearer)])
        caller = Annotated[Caller, Depends(caller_of)]

        @found.post("/collect-job", responses=_refusals(400, 409))
        async def collect_job(asked: CollectJob, who: caller) -> Enqueued:
            """Collect a domain. One that is queued or running already answers with that job."""
            return await self._collect(who, asked.domain)

        @found.get("/collect-status", responses=_refusals(400, 404), response_model_exclude_none=False)
        async def collect_status(
            who: caller,
            domain: Annotated[str | None, Query(max_length=2048)] = None,
            jobId: Annotated[str | None, Query(max_length=2048)] = None,  # noqa: N803 - the old system's name
        ) -> Status:
            """Tell how far a domain is, by its name or its job's."""
            return await self._status(who, domain, jobId)

        @found.get("/export-csv", response_class=StreamingResponse, responses=_exports())
        async def export_csv(
            who: caller,
            domain: Annotated[str | None, Query(max_length=2048)] = None,
            collection: Annotated[str | None, Query(max_length=253)] = None,
            format: Form = Form.CSV,  # noqa: A002 - the parameter's name for callers
        ) -> StreamingResponse:
            """Return the stored addresses of a domain, or of a whole collection with each address once."""
            return await self._export(who, domain, collection, format)

        @found.post("/collections", status_code=201, responses=_refusals(400, 409))
        async def make_collection(asked: NewCollection, who: caller) -> Made:
            """Make a collection of many domains."""
            return await self._make(who, asked)

        @found.get("/collections", responses=_refusals())
        async def list_collections(who: caller) -> Listed:
            """List the collections of the namespace."""
            who.needs(Right.LIST)
            return Listed(collections=[_shown(one, short=True) for one in self._objects.collections(who.namespace)])

        @found.get("/collections/{name}", responses=_refusals(404))
        async def show_collection(name: str, who: caller) -> Made:
            """Show a collection."""
            who.needs(Right.GET)
            one = self._objects.collection(Key(who.namespace, name))
            if one is None:
                raise HTTPException(404, "there is no such collection")
            return Made(collection=_shown(one))

        return found

    async def _collect(self, who: Caller, text: str) -> Enqueued:
        who.needs(Right.CREATE, Right.GET)
        domain = _domain(text)
        try:
            job = await self._writing.collect(who.namespace, domain)
        except (TakenError, RefusedError, BusyError) as error:
            _refuse(error)
        under_way = job.state is jobs.State.PROCESSING
        message = "Collection job is already running" if under_way else "Collection job enqueued successfully"
        return Enqueued(jobId=job.job_id, domain=domain, status=job.state, message=message)

    async def _status(self, who: Caller, domain: str | None, job_id: str | None) -> Status:
        who.needs(Right.GET)
        if domain is None and job_id is None:
            raise HTTPException(400, "give domain or jobId")
        named = _domain(domain) if domain is not None else jobs.domain_of(job_id or "")
        one = self._speaking(who.namespace, named, job_id if domain is None else None) if named is not None else None
        if one is None or named is None:
            raise HTTPException(404, "nothing is known of it")
        job = jobs.job_of(one, named, self._result(one, named))
        return Status(
            jobId=job.job_id,
            domain=named,
            status=job.state.value,
            progress=job.progress,
            hasStoredResults=job.stored,
            itemCount=job.items,
            total=job.items,
            storedAt=job.stored_at,
            collection=one.key.name,
            error=job.error,
            waitsFor=job.waits_for,
        )

    async def _export(self, who: Caller, domain: str | None, name: str | None, form: Form) -> StreamingResponse:
        who.needs(Right.CONTENT)
        if (domain is None) == (name is None):
            raise HTTPException(400, "give domain or collection, and not both")
        if domain is not None:
            named = _domain(domain)
            one = self._speaking(who.namespace, named, None, stored=True)
            results = [found] if one is not None and (found := self._result(one, named)) is not None else []
            file = named
        else:
            one = self._objects.collection(Key(who.namespace, name or ""))
            results = [known.data for known in self._objects.results_of(Key(who.namespace, name or "")).values()]
            file = name or ""
            named = ""
        stored = [result for result in results if result.storage is not None]
        if not stored:
            works = one is not None and (not named or not jobs.job_of(one, named, None).state.ended)
            if works:
                raise HTTPException(202, "it is still being collected", AGAIN)
            raise HTTPException(404, "nothing is stored")
        pieces = export(merged(self._documents(who.namespace, stored)), form)
        headers = {"Content-Disposition": f'attachment; filename="{file}.{form}"', "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(await _begun(pieces), 200, headers, form.media)

    async def _make(self, who: Caller, asked: NewCollection) -> Made:
        who.needs(Right.CREATE, Right.GET)
        given = asked.model_dump(exclude_none=True, exclude={"name", "domains"})
        try:
            made = await self._writing.make(Key(who.namespace, asked.name), asked.domains, given)
        except (TakenError, RefusedError, BusyError) as error:
            _refuse(error)
        return Made(collection=_shown(made))

    def _documents(self, namespace: str, stored: list[Result]) -> Documents:
        claims = {place.claim_name for result in stored if (place := result.volume_place) is not None}
        if not claims:
            return ConfigMapDocuments(self._cluster, namespace, stored)
        if namespace != self._namespace:
            raise HTTPException(409, f"documents on volumes are read in namespace {self._namespace} alone")
        missing = sorted(claims - self._volumes.keys())
        if missing:
            raise HTTPException(409, f"this gateway has not mounted the claim {missing[0]}")
        if len(claims) > 1 or any(result.volume_place is None for result in stored):
            return _Several(self._cluster, namespace, self._volumes, stored)
        return FolderDocuments(self._volumes[claims.pop()], stored)

    def _speaking(self, namespace: str, domain: str, job_id: str | None, *, stored: bool = False) -> Collection | None:
        """Return the collection that speaks for a domain: of a job's name, the one that has that job."""
        own = self._objects.collection(Key(namespace, jobs.collection_name(domain)))
        found = {one.uid: one for one in self._objects.with_result(namespace, domain)}
        found |= {one.uid: one for one in self._objects.collections(namespace) if domain in one.spec.domains}
        if own is not None and tuple(own.spec.domains) == (domain,):
            found[own.uid] = own
        of = {uid: self._result(one, domain) for uid, one in found.items()}
        if job_id is not None:
            told = (one for one in found.values() if _has_job(one, domain, of[one.uid], job_id))
            return next(told, None)
        if stored:
            kept = [one for one in found.values() if (result := of[one.uid]) is not None and result.storage is not None]
            return jobs.chosen(kept, domain, of) or jobs.chosen(found.values(), domain, of)
        return jobs.chosen(found.values(), domain, of)

    def _result(self, one: Collection, domain: str) -> Result | None:
        known = self._objects.results_of(one.key).get(domain)
        return known.data if known is not None else None


class _Several:
    """Documents of one collection in several places: its storage was changed while it ran."""

    def __init__(self, cluster: Cluster, namespace: str, volumes: Mapping[str, Path], stored: list[Result]) -> None:
        self._parts: list[Documents] = [
            ConfigMapDocuments(cluster, namespace, [one for one in stored if one.volume_place is None])
        ]
        for claim, folder in volumes.items():
            here = [one for one in stored if one.volume_place is not None and one.volume_place.claim_name == claim]
            self._parts.append(FolderDocuments(folder, here))

    @property
    def domains(self) -> frozenset[str]:
        return frozenset().union(*(part.domains for part in self._parts))

    async def each(self) -> AsyncIterator[Any]:
        for part in self._parts:
            async for document in part.each():
                yield document


def _has_job(one: Collection, domain: str, result: Result | None, job_id: str) -> bool:
    return job_id in (jobs.job_of(one, domain, result).job_id, result.job_id if result is not None else "")


def _domain(text: str) -> str:
    try:
        return domains.normalise(text)
    except domains.NotADomainError as error:
        raise HTTPException(400, f"that is no domain: {error}") from None


def _refuse(error: TakenError | RefusedError | BusyError) -> NoReturn:
    if isinstance(error, BusyError):
        raise HTTPException(503, str(error), AGAIN) from None
    raise HTTPException(409 if isinstance(error, TakenError) else 400, str(error)) from None


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Read the first piece, so that what can't be read at all is told by the answer's status."""
    try:
        first = await anext(pieces)
    except UnreadableError as error:
        raise HTTPException(409, str(error)) from None
    except ApiError:
        raise HTTPException(503, "Kubernetes does not hand the documents out now: try again", AGAIN) from None
    return _joined(first, pieces)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _exports() -> dict[int | str, dict[str, Any]]:
    kinds = {form.media.partition(";")[0]: {"schema": {"type": "string"}} for form in Form}
    return {**_refusals(400, 404, 409), 200: {"content": kinds}, 202: {"model": Refused}}


def _shown(one: Collection, *, short: bool = False) -> Shown:
    # Through JSON, because parts of the pod template are kept raw.
    spec = {} if short else msgspec.json.decode(msgspec.json.encode(one.spec), type=dict[str, Any])
    return Shown(
        name=one.key.name,
        namespace=one.key.namespace,
        createdAt=times.to_text(one.created.astimezone(UTC)),
        generation=one.generation,
        spec=spec,
        status=msgspec.to_builtins(one.status),
    )
