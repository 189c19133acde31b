"""The intake: the HTTP port on which collectors get permits, report progress, and store and read documents."""

import asyncio
import logging
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from novahunt_api.cluster import ApiError
from novahunt_api.domaincollections import Collection
from novahunt_api.objects import Key
from novahunt_api.parts import DamagedDocumentError
from novahunt_api.subject import about
from novahunt_contract import intake as protocol
from novahunt_contract.document import InvalidDocumentError
from novahunt_contract.errands import Task
from novahunt_operator.documents import Documents, LaterRunError, NotStoredError
from novahunt_operator.ledger import Ledger, Refusal
from novahunt_operator.metrics import Metrics
from novahunt_operator.permits import Permits
from novahunt_operator.progress import ProgressBoard
from novahunt_operator.records import Errand, Job
from novahunt_operator.store import Store
from novahunt_operator.sweeping import BusyError, Sweeping
from novahunt_operator.tokens import InvalidTokenError, Tokens

_RETRY_AFTER = "1"
_UNKNOWN_GRACE_SECONDS = 30.0
"""A pod that the watch has not shown for so long after its first call is not one of ours."""

_MAX_TRACKED = 10_000

_STATUSES: dict[type[Exception], int] = {
    InvalidDocumentError: 400,
    DamagedDocumentError: 404,
    LaterRunError: 409,
    BusyError: 409,
    NotStoredError: 507,
}
"""How what is wrong with a document is answered."""

Message = TypeVar("Message", bound=msgspec.Struct)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """A process of the collector image, and the Job that it speaks for: a domain's, or an errand's."""

    collection: Collection
    job: Job | Errand
    pod_uid: str


class _RefusedError(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Intake:
    """Answers collectors while this replica is the active one; otherwise says so."""

    def __init__(
        self,
        *,
        store: Store,
        tokens: Tokens,
        permits: Permits,
        documents: Documents,
        sweeping: Sweeping,
        ledger: Ledger,
        progress: ProgressBoard,
        metrics: Metrics,
        active: Callable[[], bool],
        progressed: Callable[[Key], None],
    ) -> None:
        """Take what it answers from; `progressed` is told which collection has news."""
        self._store = store
        self._tokens = tokens
        self._permits = permits
        self._documents = documents
        self._sweeping = sweeping
        self._ledger = ledger
        self._progress = progress
        self._metrics = metrics
        self._active = active
        self._progressed = progressed
        self._first_calls: dict[str, float] = {}

    def application(self) -> web.Application:
        """Return the web application."""
        # Packed bodies are opened here, with a limit on what comes out of them.
        application = web.Application(
            client_max_size=protocol.MAX_DOCUMENT_BYTES,
            handler_args={"auto_decompress": False},
            middlewares=[self._counted],
        )
        application.add_routes(
            [
                web.post(protocol.PERMITS, self._guarded(self._permit)),
                web.put(protocol.DOCUMENT, self._guarded(self._put_document)),
                web.get(protocol.DOCUMENT, self._guarded(self._get_document)),
                web.get(protocol.DOCUMENTS, self._guarded(self._list_documents)),
                web.get(protocol.DOCUMENTS + "/{domain}", self._guarded(self._get_one_document)),
                web.put(protocol.DOCUMENTS + "/{domain}", self._guarded(self._replace_document)),
                web.post(protocol.SWEPT, self._guarded(self._swept)),
            ]
        )
        return application

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count a call when it is answered; one whose caller hangs up has no answer."""
        resource = request.match_info.route.resource
        # Whoever calls may think of any path and method.
        called = (request.method, resource.canonical) if resource is not None else ("none", "none")
        try:
            response = await handler(request)
        except web.HTTPException as refused:
            self._metrics.intake_requests.labels(*called, refused.status).inc()
            raise
        except Exception:
            self._metrics.intake_requests.labels(*called, web.HTTPInternalServerError.status_code).inc()
            raise
        self._metrics.intake_requests.labels(*called, response.status).inc()
        return response

    def _guarded(
        self, handler: Callable[[web.Request, Caller], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                caller = await self._caller(request)
            except _RefusedError as error:
                return _error(error.status, str(error))
            job = caller.job
            # A sweep speaks of one domain after the other, and names it in the path.
            domain, run = (job.domain, job.run) if isinstance(job, Job) else (request.match_info.get("domain"), None)
            with about(caller.collection.key, domain, run):
                return await answer_to(request, caller)

        async def answer_to(request: web.Request, caller: Caller) -> web.Response:
            try:
                return await handler(request, caller)
            except _RefusedError as error:
                return _error(error.status, str(error))
            except tuple(_STATUSES) as error:
                _log.warning("%s %s: %s", request.method, request.path, error)
                return _error(_STATUSES[type(error)], str(error))
            except ApiError as error:
                _log.warning("%s %s: %s", request.method, request.path, error)
                return _error(503, f"the Kubernetes API refused or did not answer: {error.reason or error.code}")

        return answer

    async def _caller(self, request: web.Request) -> Caller:
        """Find out who calls: a token of a live pod whose controller is a Job that this operator made."""
        if not self._active():
            raise _RefusedError(503, "this replica is not the active one; try the next address")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _RefusedError(401, "no token: send Authorization: Bearer with a token of the intake's audience")
        try:
            identity = await self._tokens.check(token.strip())
        except InvalidTokenError as error:
            raise _RefusedError(401, str(error)) from None
        pod = self._store.pod(identity.pod_uid)
        if pod is None:
            raise self._unknown(identity.pod_uid)
        self._first_calls.pop(identity.pod_uid, None)
        job = self._store.job_by_uid(pod.job_uid) or self._store.errand_by_uid(pod.job_uid)
        if pod.key.namespace != identity.namespace or pod.finished:
            raise _RefusedError(403, "the pod is not, or no longer, a collector at work")
        if job is None:
            raise self._unknown(identity.pod_uid)
        collection = self._store.collection(Key(job.key.namespace, job.collection))
        if collection is None or collection.uid != job.owner_uid:
            raise _RefusedError(403, "the collection that this Job belongs to is gone")
        if isinstance(job, Job) and self._is_recorded(collection.key, job):
            raise _RefusedError(403, "the run of this Job is recorded already, and the Job is being deleted")
        return Caller(collection, job, pod.uid)

    def _is_recorded(self, collection: Key, job: Job) -> bool:
        result = self._store.results_of(collection).get(job.domain)
        return result is not None and job.is_recorded(result.data)

    def _unknown(self, pod_uid: str) -> _RefusedError:
        """A pod may call before the watch has shown it; one that stays unknown is gone, or never was ours."""
        now = time.monotonic()
        if len(self._first_calls) > _MAX_TRACKED:
            self._first_calls.clear()
        first = self._first_calls.setdefault(pod_uid, now)
        if now - first < _UNKNOWN_GRACE_SECONDS:
            return _RefusedError(503, "the pod is not known yet; try again")
        return _RefusedError(403, "the pod is not a collector of this operator")

    async def _permit(self, request: web.Request, caller: Caller) -> web.Response:
        call = await _read(request, protocol.PermitCall)
        if isinstance(caller.job, Errand) and call.credits:
            raise _RefusedError(403, "an errand asks for nothing that can cost credits")
        key = caller.collection.key
        # The rest of the key's users slow down at once, whatever becomes of this call.
        if call.answered is not None:
            self._permits.report(call.fingerprint, caller.pod_uid, call.answered)
        if call.progress is not None and self._progress.put(caller.pod_uid, call.progress):
            self._progressed(key)
        # First the record, then the permit: a crash between the two leaves credits set aside, not spent unseen.
        refusal = await self._book(caller, call)
        # What was sent alone has no number to tell a repeated call by: it counts when nothing of this one can fail.
        if call.alone > 0:
            self._permits.report_alone(call.fingerprint, call.alone)
        if refusal is not None:
            return _json(protocol.PermitAnswer(refused=refusal.word, credits_left=refusal.left))
        if not call.wanted:
            return _json(protocol.PermitAnswer())
        permit = await self._permits.acquire(call.fingerprint, key, caller.pod_uid, seconds=protocol.HOLD_SECONDS)
        if permit is not None and not self._active():
            self._permits.report(call.fingerprint, caller.pod_uid, protocol.Answered(permit, unused=True))
            raise _RefusedError(503, "this replica is not the active one any more")
        return _json(protocol.PermitAnswer(permit))

    async def _book(self, caller: Caller, call: protocol.PermitCall) -> Refusal | None:
        """Set aside what the request can cost, or take back what a pod that stops will not spend; errands pay nothing.

        Returns why the request may not be made.

        Raises:
            ApiError: it could not be recorded.
        """
        if isinstance(caller.job, Errand):
            return None
        if call.wanted:
            return await self._ledger.reserve(caller.collection, caller.job.uid, caller.pod_uid, call)
        if call.stopping:
            await self._ledger.give_back(caller.collection, caller.job.uid, caller.pod_uid, call)
        return None

    async def _put_document(self, request: web.Request, caller: Caller) -> web.Response:
        job = _of_a_domain(caller)
        if job.claim_name is not None:
            raise _RefusedError(400, "this Job stores on a volume, not in ConfigMaps")
        return _json(await self._documents.put(caller.collection, job, await _body(request)))

    async def _get_document(self, request: web.Request, caller: Caller) -> web.Response:
        del request
        return _document(await self._documents.get(caller.collection, _of_a_domain(caller)))

    async def _list_documents(self, request: web.Request, caller: Caller) -> web.Response:
        del request
        return _json(protocol.Listing(self._sweeping.domains(_swept_by(caller))))

    async def _get_one_document(self, request: web.Request, caller: Caller) -> web.Response:
        return _document(await self._sweeping.get(_swept_by(caller), request.match_info["domain"]))

    async def _replace_document(self, request: web.Request, caller: Caller) -> web.Response:
        collection = _swept_by(caller)
        return _json(await self._sweeping.put(collection, request.match_info["domain"], await _body(request)))

    async def _swept(self, request: web.Request, caller: Caller) -> web.Response:
        await self._sweeping.swept(_swept_by(caller), await _read(request, protocol.Swept))
        return web.Response()


def _of_a_domain(caller: Caller) -> Job:
    """Return the caller's Job, whose domain's document it may store and read."""
    if isinstance(caller.job, Errand):
        raise _RefusedError(403, "this call is for collectors of one domain")
    return caller.job


def _swept_by(caller: Caller) -> Collection:
    """Return the collection whose documents the caller may sweep."""
    if not isinstance(caller.job, Errand) or caller.job.task is not Task.SWEEP:
        raise _RefusedError(403, "this call is for sweeps")
    return caller.collection


async def _body(request: web.Request) -> bytes:
    return await asyncio.to_thread(_unpacked, await request.read(), request.headers.get("Content-Encoding", ""))


def _document(data: bytes | None) -> web.Response:
    if data is None:
        raise _RefusedError(404, "no document is stored for this domain")
    return web.Response(body=data, content_type="application/json")


async def _read(request: web.Request, kind: type[Message]) -> Message:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.DecodeError as error:
        raise _RefusedError(400, f"the body can't be read: {error}") from None


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise _RefusedError(415, "Content-Encoding must be gzip or absent")
    opener = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        data = opener.decompress(body, protocol.MAX_DOCUMENT_BYTES + 1)
    except zlib.error:
        raise _RefusedError(400, "the body is not gzip") from None
    if len(data) > protocol.MAX_DOCUMENT_BYTES:
        raise _RefusedError(413, f"the document is larger than {protocol.MAX_DOCUMENT_BYTES} bytes")
    if not opener.eof:
        raise _RefusedError(400, "the packed body is cut")
    return data


def _json(answer: msgspec.Struct, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    response = _json(protocol.Error(message), status)
    if status == 503:  # noqa: PLR2004 - Service Unavailable
        response.headers["Retry-After"] = _RETRY_AFTER
    return response
