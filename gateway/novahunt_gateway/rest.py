"""The REST calls: one domain's job, many domains at once, and their addresses as a file."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Annotated, Any, NamedTuple, NoReturn

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.objects import Key
from novahunt_api.subject import narrow
from novahunt_client.exports import Form
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
from novahunt_gateway.errors import BusyError, NotDoneError
from novahunt_gateway.gate import AGAIN, PREFIX, Caller, caller_of
from novahunt_gateway.objects import Objects
from novahunt_gateway.places import Places
from novahunt_gateway.rights import Right
from novahunt_gateway.standing import Standing
from novahunt_gateway.writing import Writing

_bearer = HTTPBearer(auto_error=False, description="The gateway's token, or a Kubernetes token.")
"""Only shows on the OpenAPI page that a token is needed: `gate` has looked at it before any route does."""


def _refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": Refused} for code in (401, 403, 413, 408, 429, 503, *codes)}


class _Meant(NamedTuple):
    """What an export is asked of."""

    key: Key | None
    """The collection's; None: no collection has anything of it."""
    stored: tuple[Result, ...]
    """The results that have a document."""
    is_awaited: bool
    """Whether something works on it."""


class Rest:
    """The routes."""

    def __init__(
        self,
        *,
        objects: Objects,
        writing: Writing,
        places: Places,
    ) -> None:
        """Take what it knows and acts with."""
        self._objects = objects
        self._writing = writing
        self._places = places

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
            """Return the stored addresses of a domain, of a whole collection, or of a domain in a collection.

            Each address comes once.
            """
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
            narrow(one.key)
            return Made(collection=_shown(one))

        return found

    async def _collect(self, who: Caller, text: str) -> Enqueued:
        who.needs(Right.CREATE, Right.GET)
        domain = _domain(text)
        narrow(Key(who.namespace, jobs.collection_name(domain)), domain)
        try:
            job = await self._writing.collect(who.namespace, domain)
        except NotDoneError as error:
            _refuse(error)
        under_way = job.state is jobs.State.PROCESSING
        message = "Collection job is already running" if under_way else "Collection job enqueued successfully"
        return Enqueued(jobId=job.job_id, domain=domain, status=job.state, message=message)

    async def _status(self, who: Caller, domain: str | None, job_id: str | None) -> Status:
        who.needs(Right.GET)
        if domain is None and job_id is None:
            raise HTTPException(400, "give domain or jobId")
        named = _domain(domain) if domain is not None else jobs.domain_of(job_id or "")
        known = self._objects.standings(who.namespace, named) if named is not None else []
        one = jobs.chosen(known) if domain is not None else _with_job(known, job_id or "")
        if one is None:
            raise HTTPException(404, "nothing is known of it")
        narrow(one.key, one.domain)
        job = jobs.job_of(one)
        return Status(
            jobId=job.job_id,
            domain=one.domain,
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
        named = _domain(domain) if domain is not None else None
        if name is not None:
            key = Key(who.namespace, name)
            meant = self._of_collection(key) if named is None else _of_domain([self._objects.standing(key, named)])
        elif named is not None:
            meant = _of_domain(self._objects.standings(who.namespace, named))
        else:
            raise HTTPException(400, "give domain or collection")
        if not meant.stored:
            if meant.is_awaited:
                raise HTTPException(202, "it is still being collected", AGAIN)
            raise HTTPException(404, "nothing is stored")
        narrow(meant.key, named)
        try:
            pieces = await self._places.export(who.namespace, meant.stored, form)
        except NotDoneError as error:
            _refuse(error)
        file = f"{named or name}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{file}"', "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(pieces, 200, headers, form.media)

    def _of_collection(self, key: Key) -> _Meant:
        one = self._objects.collection(key)
        known = (held.data for held in self._objects.results_of(key).values())
        stored = tuple(result for result in known if result.storage is not None)
        return _Meant(key, stored, is_awaited=one is not None and jobs.works(one))

    async def _make(self, who: Caller, asked: NewCollection) -> Made:
        who.needs(Right.CREATE, Right.GET)
        given = asked.model_dump(exclude_none=True, exclude={"name", "domains"})
        key = Key(who.namespace, asked.name)
        try:
            made = await self._writing.make(key, asked.domains, given)
        except NotDoneError as error:
            _refuse(error)
        narrow(key)
        return Made(collection=_shown(made))


def _of_domain(standings: Sequence[Standing]) -> _Meant:
    stored = [one for one in standings if one.result is not None and one.result.storage is not None]
    chosen = jobs.chosen(stored)
    results = (chosen.result,) if chosen is not None and chosen.result is not None else ()
    is_awaited = any(jobs.is_active(one) for one in standings)
    return _Meant(chosen.key if chosen is not None else None, results, is_awaited)


def _with_job(standings: Iterable[Standing], job_id: str) -> Standing | None:
    """Return the one whose job has a name: the wish's, or the one that the stored document tells."""
    for one in standings:
        own = one.result.job_id if one.result is not None else ""
        if job_id in (jobs.job_of(one).job_id, own):
            return one
    return None


def _domain(text: str) -> str:
    try:
        return domains.normalise(text)
    except domains.NotADomainError as error:
        raise HTTPException(400, f"that is no domain: {error}") from None


def _refuse(error: NotDoneError) -> NoReturn:
    raise HTTPException(error.code, str(error), AGAIN if isinstance(error, BusyError) else None) from None


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
