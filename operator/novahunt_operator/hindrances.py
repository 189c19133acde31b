"""What keeps the pod of a live Job from starting, in words, and when the Job is given up for it. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from novahunt_api.waiting import Wait
from novahunt_operator.records import MadeJob, Pod

CAPACITY_GRACE: Final = timedelta(seconds=60)
"""A pod that finds no node for so long needs a person; before that the cluster may be making room."""

JOB_CONTROLLER_GRACE: Final = timedelta(seconds=10)
"""A Job without a pod for so long means that the Job controller is slow, or that its pods are refused."""

GIVEN_UP_AFTER: Final = timedelta(seconds=60)
"""A Job that can't start holds its slot for so long. One that finds no node is kept: autoscalers see it wait."""

GIVEN_UP: Final = frozenset({Wait.IMAGE_PULL, Wait.KEY_MISSING, Wait.POD_REFUSED})
"""For these a Job is given up, and its domain goes back to waiting."""


class Hindrance(msgspec.Struct, frozen=True):
    """Why a Job's pod does not start."""

    reason: Wait
    message: str
    stalled: bool = False
    """A person is needed."""


class GivenUp(msgspec.Struct, frozen=True):
    """That the last errand of a kind was given up: its Job is deleted, and leaves no trace of its own."""

    of: str
    """The wishes that it was made for."""
    at: datetime
    in_a_row: int
    """Errands of the kind that were given up one after the other, this one included; from 1."""
    hindrance: Hindrance
    template_hash: str
    """Of its Job: under other settings the next one may start."""


def hindrance_of(job: MadeJob, pods: Sequence[Pod], now: datetime, key_secret: str) -> Hindrance | None:
    """Return what keeps a live Job's pod from starting; None: nothing that is known yet.

    Args:
        job: The Job.
        pods: All its pods.
        now: The time.
        key_secret: Name of the Secret that the collection has its Hunter key from.
    """
    age = now - job.created
    if not pods and job.active == 0 and job.failed == 0:
        return _without_pod(job) if age >= JOB_CONTROLLER_GRACE else None
    found = [one for pod in pods if (one := _of_pod(pod, age, key_secret)) is not None]
    return next((one for one in found if one.stalled), found[0] if found else None)


def given_up_for(job: MadeJob, pods: Sequence[Pod], now: datetime, key_secret: str) -> Hindrance | None:
    """Return why a live Job is given up, which has held its slot for long enough without a chance to start."""
    if job.failed or now - job.created < GIVEN_UP_AFTER or any(pod.started for pod in pods):
        return None
    hindrance = hindrance_of(job, pods, now, key_secret)
    return hindrance if hindrance is not None and hindrance.reason in GIVEN_UP else None


def _without_pod(job: MadeJob) -> Hindrance:
    since = f"{job.created:%H:%M:%S}Z"
    if not job.taken_up:
        message = (
            f"Job {job.key.name} has not been taken up by the Job controller since {since}: kube-controller-manager is "
            "slow or away; --concurrent-job-syncs, --kube-api-qps and --kube-api-burst make it faster."
        )
        return Hindrance(Wait.JOB_CONTROLLER, message)
    message = (
        f"Job {job.key.name} has had no pod since {since}: a quota or an admission policy refuses its pods "
        f"(kubectl describe job {job.key.name})."
    )
    return Hindrance(Wait.POD_REFUSED, message, stalled=True)


def _of_pod(pod: Pod, age: timedelta, key_secret: str) -> Hindrance | None:
    if pod.finished or pod.deleting:
        return None
    if pod.unschedulable:
        message = f"No node can take the pod: {pod.unschedulable}"
        if "persistentvolumeclaim" in pod.unschedulable.lower():
            return Hindrance(Wait.STORAGE, message, stalled=True)
        return Hindrance(Wait.CLUSTER_CAPACITY, message, stalled=age >= CAPACITY_GRACE)
    reason = pod.waiting_reason
    if reason in _IMAGE_REASONS:
        return Hindrance(Wait.IMAGE_PULL, f"The collector's image can't be had: {pod.waiting_message}", stalled=True)
    if reason in _CONFIG_REASONS:
        kind, hint = _remedy(pod.waiting_message, key_secret)
        return Hindrance(kind, f"The pod can't start: {pod.waiting_message}.{hint}", stalled=True)
    return None


def _remedy(message: str, key_secret: str) -> tuple[Wait, str]:
    """Tell the Secret with the Hunter key from others that a container is made with, by the kubelet's words."""
    secret = _MISSING_SECRET.search(message)
    if secret is None:
        return Wait.POD_REFUSED, ""
    if key_secret in (secret["name"], secret["key_in"]):
        return Wait.KEY_MISSING, " Make it, or name another in spec.apiKeySecretRef."
    return Wait.POD_REFUSED, " Make it in this namespace, or correct collector.proxy.secretRef of the chart."


_MISSING_SECRET = re.compile(r"""secrets? "(?P<name>[^"]+)" not found|in Secret [^/\s]+/(?P<key_in>[^/\s]+)""")
"""A Secret that is not there, or lacks a key: `makeEnvironmentVariables` in the kubelet's `kubelet_pods.go`."""

_IMAGE_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
