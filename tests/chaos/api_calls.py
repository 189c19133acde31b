"""Sees the steps of domains in the operator's calls to the API server."""

from dataclasses import dataclass, field

import msgspec

from chaos.director import Director
from chaos.gate import Call, Reply
from chaos.moments import Fate, Moment, Side, Step
from novahunt_api import names, wire
from novahunt_api.cluster import JSON_PATCH
from novahunt_api.domainresults import Result

_ADDED = b'"ADDED"'
_FIRST_ERROR = 300


class _Made(msgspec.Struct):
    """An object that is being made, of which only the metadata is wanted."""

    metadata: wire.Meta


class _Watched(msgspec.Struct):
    type: str
    object: _Made


@dataclass
class ApiCalls:
    """Listens at the gate between one replica and the API server. What is known of names is shared by all replicas."""

    director: Director
    known: "KnownNames"

    async def before(self, call: Call) -> Fate:
        """Tell what is about to be done."""
        moment = self.known.moment(call, Side.BEFORE)
        return await self.director.at(moment) if moment is not None else Fate.PASS

    async def after(self, call: Call, reply: Reply) -> Fate:
        """Tell what has been done."""
        moment = self.known.moment(call, Side.AFTER) if reply.status < _FIRST_ERROR else None
        return await self.director.at(moment) if moment is not None else Fate.PASS

    async def line(self, call: Call, line: bytes) -> None:
        """Tell that the operator has been shown a new collection."""
        if call.path.endswith(f"/{names.COLLECTIONS}") and _ADDED in line:
            event = msgspec.json.decode(line, type=_Watched)
            name = event.object.metadata.name
            await self.director.at(Moment(Step.COLLECTION_SEEN, Side.AFTER, collection=name))


@dataclass
class KnownNames:
    """Which domain an object is of, by its name: calls that change or delete one don't say."""

    domains: dict[str, str] = field(default_factory=dict)
    """By the name of a Job or ConfigMap."""
    runs: dict[str, int] = field(default_factory=dict)
    """The newest run, by domain."""

    def moment(self, call: Call, side: Side) -> Moment | None:
        """Return the moment that a call is; None: it is none of a domain's or collection's."""
        parts = call.path.strip("/").split("/")
        if "namespaces" not in parts or call.method == "GET":
            return None
        plural, *rest = parts[parts.index("namespaces") + 2 :]
        found: Moment | None = None
        match call.method, plural, rest:
            case "POST", "jobs", []:
                found = self._job_created(call, side)
            case "PATCH", "jobs", [name] if call.headers.get("Content-Type") == JSON_PATCH:
                found = self._of(name, Step.CREDITS_RESERVED, side)
            case "DELETE", "jobs", [name]:
                found = self._of(name, Step.JOB_DELETED, side)
            case "POST", "configmaps", []:
                found = self._config_map_stored(call, side)
            case "DELETE", "configmaps", [name]:
                found = self._of(name, Step.OLD_DELETED, side)
            case "POST" | "PUT", names.RESULTS, _:
                found = self._result_written(call, side)
            case "PATCH", names.COLLECTIONS, [name, "status"]:
                found = Moment(Step.STATUS_WRITTEN, side, collection=name)
        return found

    def _of(self, name: str, step: Step, side: Side) -> Moment | None:
        domain = self.domains.get(name)
        return Moment(step, side, domain=domain) if domain is not None else None

    def _job_created(self, call: Call, side: Side) -> Moment | None:
        meta = msgspec.json.decode(call.body, type=_Made).metadata
        domain, run = meta.annotations.get(names.DOMAIN_ANNOTATION), meta.annotations.get(names.RUN_ANNOTATION)
        if domain is None or run is None:
            return None
        self.domains[meta.name] = domain
        self.runs[domain] = int(run)
        return Moment(Step.JOB_CREATED, side, domain=domain)

    def _config_map_stored(self, call: Call, side: Side) -> Moment | None:
        meta = msgspec.json.decode(call.body, type=_Made).metadata
        domain = meta.annotations.get(names.DOMAIN_ANNOTATION)
        if domain is None:
            return None
        self.domains[meta.name] = domain
        return Moment(Step.CONFIG_MAP_STORED, side, domain=domain)

    def _result_written(self, call: Call, side: Side) -> Moment:
        """Tell the end of a run from what the intake writes while it runs: that names an earlier run."""
        result = msgspec.json.decode(call.body, type=Result)
        ended = result.run >= self.runs.get(result.domain, 0)
        return Moment(Step.RESULT_WRITTEN if ended else Step.DOCUMENT_LISTED, side, domain=result.domain)
