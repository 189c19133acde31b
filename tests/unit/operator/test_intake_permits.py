"""What the intake makes of calls for permits, over HTTP: one that fails is made again as it was, and counts once."""

from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import msgspec
import pytest
from aiohttp import web

from builders import KEY, NOW, collection, collector_settings, pod, spec
from novahunt_contract import intake as protocol
from novahunt_contract.intake import Answered, BudgetWord, PermitAnswer, PermitCall, Progress
from novahunt_operator.documents import Documents
from novahunt_operator.intake import Intake
from novahunt_operator.jobs import build
from novahunt_operator.ledger import Ledger
from novahunt_operator.metrics import Metrics
from novahunt_operator.permits import Permits
from novahunt_operator.planner import Start
from novahunt_operator.progress import ProgressBoard
from novahunt_operator.store import Store
from novahunt_operator.sweeping import Sweeping
from novahunt_operator.tokens import PodIdentity, Tokens
from property.budget_model import JOBS, ApiServer, Fate

FINGERPRINT = "3fa9c0ffee"


class OnePod:
    """Takes every token for that of one pod."""

    def __init__(self, uid: str) -> None:
        self._uid = uid

    async def check(self, _token: str) -> PodIdentity:
        return PodIdentity(KEY.namespace, self._uid)


class Desk:
    """An intake, and the pod of a Job of which two credits are set aside; its budget has ten."""

    def __init__(self) -> None:
        self.api = ApiServer()
        self.metrics = Metrics()
        self.permits = Permits(1000, 1000, metrics=self.metrics)
        self.url = ""
        store = Store()
        of = collection(spec(domains=["a.example"], pageSize=20, budget={"maxCredits": 10}))
        store.put_collection(of)
        body = build(of, Start("a.example", 1, None, credits=2), collector_settings(), NOW)
        path = f"{JOBS}/{body['metadata']['name']}"
        self.api.put(path, body)
        store.put_job(self.api.jobs[path])
        at_work = pod(self.api.jobs[path])
        store.put_pod(at_work)
        self.intake = Intake(
            store=store,
            tokens=cast("Tokens", OnePod(at_work.uid)),
            permits=self.permits,
            documents=cast("Documents", None),
            sweeping=cast("Sweeping", None),
            ledger=Ledger(self.api, store, repeats_charged=False, now=lambda: NOW),
            progress=ProgressBoard(),
            metrics=self.metrics,
            active=lambda: True,
            progressed=lambda _: None,
        )

    async def call(self, call: PermitCall) -> PermitAnswer | None:
        """Make a call; None: 503."""
        headers = {"Authorization": "Bearer token"}
        body = msgspec.json.encode(call)
        async with aiohttp.request("POST", self.url + protocol.PERMITS, data=body, headers=headers) as answer:
            assert answer.status in (200, 503)
            return msgspec.json.decode(await answer.read(), type=PermitAnswer) if answer.status == 200 else None

    async def permit(self) -> str:
        """Get a permit for a request that costs nothing more than is set aside."""
        answer = await self.call(PermitCall(FINGERPRINT, credits=2))
        assert answer is not None
        assert answer.permit is not None
        return answer.permit

    def be_away(self) -> None:
        """Have the next credits not set aside, and nobody able to say whether they were."""
        self.api.fates.extend([Fate.NEVER_CAME, Fate.NEVER_CAME])

    @property
    def pace(self) -> float:
        return self.permits.states()[0].pace

    def counted(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"novahunt_hunter_{name}_total", {"key": FINGERPRINT[:4]})


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    runner = web.AppRunner(found.intake.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()
    await found.api.close()


async def test_a_throttle_slows_the_key_once_however_often_it_is_told_while_credits_cant_be_set_aside(
    desk: Desk,
) -> None:
    call = PermitCall(FINGERPRINT, answered=Answered(await desk.permit(), throttled=True), credits=4)
    for _ in range(3):
        desk.be_away()
        assert await desk.call(call) is None
        # Whoever else uses the key hears of it at once.
        assert desk.pace == 0.5
    answer = await desk.call(call)
    assert answer is not None
    assert answer.permit is not None
    assert (desk.pace, desk.counted("requests"), desk.counted("throttles")) == (0.5, 1, 1)
    again = PermitCall(FINGERPRINT, wanted=False, answered=Answered(answer.permit, throttled=True))
    assert await desk.call(again) == PermitAnswer()
    assert (desk.pace, desk.counted("requests"), desk.counted("throttles")) == (0.25, 2, 2)


async def test_requests_that_were_sent_alone_count_once_when_the_call_that_tells_of_them_is_answered(
    desk: Desk,
) -> None:
    call = PermitCall(FINGERPRINT, alone=3, credits=4)
    for _ in range(3):
        desk.be_away()
        assert await desk.call(call) is None
    assert await desk.call(call) is not None
    assert desk.counted("requests") == 3


async def test_what_a_collector_tells_counts_also_where_its_budget_refuses_the_next_request(desk: Desk) -> None:
    call = PermitCall(FINGERPRINT, answered=Answered(await desk.permit(), throttled=True), alone=3, credits=11)
    answer = await desk.call(call)
    assert answer is not None
    assert answer.refused is BudgetWord.COLLECTION
    assert (desk.pace, desk.counted("requests")) == (0.5, 4)


async def test_what_a_collector_that_stops_tells_counts_once(desk: Desk) -> None:
    last = Answered(await desk.permit(), throttled=True)
    call = PermitCall(FINGERPRINT, wanted=False, answered=last, alone=3, progress=Progress(0, 0, 4), stopping=True)
    desk.be_away()
    assert await desk.call(call) is None
    assert await desk.call(call) == PermitAnswer()
    assert (desk.pace, desk.counted("requests")) == (0.5, 4)
