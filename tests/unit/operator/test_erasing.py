"""Erasures carried out: which Job is which, what a copy of one does, and that records go before files."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from builders import KEY, NOW, collection, collector_settings, result, spec, stored
from novahunt_api import names, paths
from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Place, VolumePlace
from novahunt_operator.erasing import Erasing
from novahunt_operator.metrics import Metrics
from novahunt_operator.recorder import Recorder
from novahunt_operator.records import Erasure
from novahunt_operator.store import Store
from unit.operator.memory_cluster import MemoryCluster

CLAIM = VolumePlace("claim", "q4")

PENDING_POD = {
    "metadata": {
        "name": "late",
        "namespace": KEY.namespace,
        "labels": {
            names.MANAGED_BY_LABEL: names.MANAGED_BY,
            names.COMPONENT_LABEL: names.COLLECTOR,
            names.COLLECTION_LABEL: KEY.name,
        },
        "ownerReferences": [{"kind": "Job", "name": "late", "uid": "uid-late", "controller": True}],
    },
    "status": {"phase": "Pending"},
}


def wishing(policy: str = "Delete", **fields: Any) -> Collection:
    storage = {"persistentVolumeClaim": {"claimName": "claim", "path": "q4"}}
    return collection(spec(deletionPolicy=policy, storage=storage), **fields)


class Patching(MemoryCluster):
    """A cluster that also takes the JSON patch that lets a Job go."""

    def _write(self, method: str, path: str, body: Any) -> dict[str, Any]:
        if method == "PATCH" and isinstance(body, list):
            found = self._found(path)
            assert body[0]["value"] == found["metadata"]["uid"]
            return self._keep(path, {**found, "spec": {**found["spec"], "suspend": False}})
        return super()._write(method, path, body)


class Desk:
    """Erasing, and what it acts on."""

    def __init__(self) -> None:
        self.api = Patching()
        self.store = Store()
        recorder = Recorder(self.api, self.store)
        self.erasing = Erasing(self.api, self.store, recorder, collector_settings(), Metrics())

    async def made(self) -> Erasure:
        await self.erasing.keep_up(wishing(), NOW, may_store=True)
        (erasure,) = self.store.erasures()
        return erasure

    def job(self, erasure: Erasure) -> dict[str, Any]:
        return self.api.objects[paths.jobs(KEY.namespace, erasure.key.name)]

    async def look_until_let_go(self) -> None:
        for seconds in (0, 10):
            await self.erasing.look_after(KEY, NOW + timedelta(seconds=seconds))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    yield found
    await found.api.close()


async def test_a_job_says_which_one_it_is_also_after_a_crash_before_that_was_noted(desk: Desk) -> None:
    made = await desk.made()
    assert made.is_genuine
    del desk.job(made)["metadata"]["annotations"][names.JOB_UID_ANNOTATION]
    desk.store.put_erasure(msgspec.structs.replace(made, noted_uid=""))
    assert (await desk.made()).is_genuine


async def test_when_the_collection_is_gone_records_of_its_files_go_first(desk: Desk) -> None:
    made = await desk.made()
    retained = stored(result("a.example", storage=Place(persistent_volume_claim=CLAIM)))
    elsewhere = stored(result("b.example"))
    for known in (retained, elsewhere):
        path = paths.results(KEY.namespace, known.key.name)
        desk.api.put(path, {"metadata": {"name": known.key.name, "namespace": KEY.namespace, "uid": known.uid}})
        version = int(desk.api.objects[path]["metadata"]["resourceVersion"])
        desk.store.put_result(msgspec.structs.replace(known, resource_version=version))
    await desk.look_until_let_go()
    assert desk.job(made)["spec"]["suspend"] is False
    owners = {known.data.domain: known.owner_uid for known in desk.store.results()}
    assert owners == {"a.example": made.owner_uid, "b.example": None}


async def test_a_pod_that_the_watch_has_not_shown_yet_is_waited_for(desk: Desk) -> None:
    made = await desk.made()
    path = paths.pods(KEY.namespace) + "/late"
    desk.api.put(path, PENDING_POD)
    await desk.look_until_let_go()
    assert desk.job(made)["spec"]["suspend"] is True
    del desk.api.objects[path]
    await desk.look_until_let_go()
    assert desk.job(made)["spec"]["suspend"] is False


async def test_a_copy_from_a_backup_erases_nothing_and_goes(desk: Desk) -> None:
    made = await desk.made()
    body = desk.job(made)
    body["metadata"]["uid"] = "uid-restored"
    desk.store.drop_erasure(made.key, made.uid)
    desk.store.put_erasure(msgspec.structs.replace(made, uid="uid-restored"))
    restored = wishing(uid="uid-of-the-restored")
    desk.store.put_collection(restored)
    await desk.look_until_let_go()
    assert body["spec"]["suspend"] is True
    assert not desk.api.names(paths.jobs(KEY.namespace))


async def test_a_switch_to_retain_removes_it_also_where_the_folder_is_another_s(desk: Desk) -> None:
    await desk.made()
    await desk.erasing.keep_up(wishing("Retain"), NOW, may_store=False)
    assert not list(desk.store.erasures())
    assert not desk.api.names(paths.jobs(KEY.namespace))
