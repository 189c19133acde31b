"""Sees the steps of domains in collectors' calls to the intake and to Hunter."""

from dataclasses import dataclass

import jwt
import msgspec

from chaos.director import Director
from chaos.gate import Call, Reply
from chaos.moments import Fate, Moment, Side, Step
from cluster.process_kubelet import ProcessKubelet
from novahunt_contract import intake as protocol

_OK = 200


class _Pod(msgspec.Struct):
    name: str


class _Bound(msgspec.Struct):
    pod: _Pod


class _Claims(msgspec.Struct):
    bound: _Bound = msgspec.field(name="kubernetes.io")


@dataclass
class IntakeCalls:
    """Listens at the gate between collectors and intake."""

    director: Director
    kubelet: ProcessKubelet

    async def before(self, call: Call) -> Fate:
        """Tell what a call says has happened, and what it asks for."""
        domain = self._domain(call)
        if (call.method, call.path) == ("PUT", protocol.DOCUMENT):
            return await self.director.at(Moment(Step.HANDED_OVER, Side.BEFORE, domain=domain))
        if call.path != protocol.PERMITS:
            return Fate.PASS
        asked = msgspec.json.decode(call.body, type=protocol.PermitCall)
        progress = asked.progress
        if asked.wanted:
            if progress is not None and progress.emails:
                # The next page is asked for when the one before is durable.
                await self.director.at(Moment(Step.PAGE_SAVED, Side.AFTER, domain=domain))
            return await self.director.at(Moment(Step.PERMIT_GIVEN, Side.BEFORE, domain=domain))
        if progress is not None and progress.percent == 100 and not asked.stopping:
            # The end is told when the receipt is written.
            return await self.director.at(Moment(Step.RECEIPT_WRITTEN, Side.AFTER, domain=domain))
        return Fate.PASS

    async def after(self, call: Call, reply: Reply) -> Fate:
        """Tell what the intake has done."""
        if reply.status != _OK:
            return Fate.PASS
        if (call.method, call.path) == ("PUT", protocol.DOCUMENT):
            return await self.director.at(Moment(Step.HANDED_OVER, Side.AFTER, domain=self._domain(call)))
        if call.path == protocol.PERMITS and msgspec.json.decode(reply.body, type=protocol.PermitAnswer).permit:
            return await self.director.at(Moment(Step.PERMIT_GIVEN, Side.AFTER, domain=self._domain(call)))
        return Fate.PASS

    async def line(self, call: Call, line: bytes) -> None:
        """Nothing here is endless."""

    def _domain(self, call: Call) -> str:
        token = call.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False, "verify_aud": False})
        pod = msgspec.convert(claims, _Claims).bound.pod.name
        return self.kubelet.purposes[pod]


@dataclass
class HunterCalls:
    """Listens at the gate between collectors and the simulator."""

    director: Director

    async def before(self, call: Call) -> Fate:
        """Tell what is about to be asked."""
        return await self._tell(call, Side.BEFORE)

    async def after(self, call: Call, reply: Reply) -> Fate:
        """Tell what is answered, and paid for."""
        return await self._tell(call, Side.AFTER) if reply.status == _OK else Fate.PASS

    async def line(self, call: Call, line: bytes) -> None:
        """Nothing here is endless."""

    async def _tell(self, call: Call, side: Side) -> Fate:
        if not call.path.endswith("/domain-search"):
            return Fate.PASS
        return await self.director.at(Moment(Step.PAGE_ANSWERED, side, domain=call.query["domain"]))
