"""Tells in plain words what a collection waits for, why, and what would help. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from novahunt_api.conditions import Condition, ConditionType, find
from novahunt_api.domaincollections import Collection
from novahunt_api.waiting import Wait


class Advice(msgspec.Struct, frozen=True):
    """What a reason means, and what helps; `{name}` and `{namespace}` of commands stand for the collection's."""

    why: str
    helps: str
    commands: tuple[str, ...] = ()


class Paragraph(msgspec.Struct, frozen=True):
    """One thing that is said: a sentence, what it means, what helps, and the very commands where there are some."""

    headline: str
    why: str = ""
    helps: str = ""
    commands: tuple[str, ...] = ()

    def text(self) -> str:
        """Return it as lines for people."""
        said = " ".join(part for part in (self.why, self.helps) if part)
        return "\n".join([self.headline, *([said] if said else ()), *(f"    {command}" for command in self.commands)])


_SEE_STATUS = "kubectl -n {namespace} describe dcol {name}"
_EDIT = "kubectl -n {namespace} edit dcol {name}"
_RETRY = "novahunt -n {namespace} retry {name}"

WAITS: Mapping[Wait, Advice] = {
    Wait.RATE_LIMIT: Advice(
        "Each Hunter key has a pace, which all collections that use it share.",
        "Nothing has to be done; if it is slower than you expect, see whether other programs use the same key.",
    ),
    Wait.CONCURRENCY: Advice(
        "All slots are taken, this collection's or the operator's.",
        "Nothing has to be done; a higher spec.concurrency, or worker.concurrency of the chart, makes it faster.",
        ('kubectl -n {namespace} patch dcol {name} --type=merge -p \'{{"spec":{{"concurrency":4}}}}\'',),
    ),
    Wait.JOB_RATE: Advice(
        "The operator starts only so many Jobs in an interval, and those of this one are used.",
        "Nothing has to be done; worker.maxJobsPerInterval of the chart raises it.",
    ),
    Wait.RETRY_PAUSE: Advice("Some domains come back after a short pause.", "Nothing has to be done."),
    Wait.JOB_CONTROLLER: Advice(
        "Kubernetes' own Job controller has not looked at a Job for ten seconds: it is slow or away.",
        "--concurrent-job-syncs, --kube-api-qps and --kube-api-burst of kube-controller-manager make it faster.",
    ),
    Wait.POD_REFUSED: Advice(
        "A quota or an admission policy refuses the pods, or their container can't be made.",
        "Raise the quota, or correct spec.jobTemplate; the Jobs tell more.",
        ("kubectl -n {namespace} describe jobs -l novahunt.io/collection={name}",),
    ),
    Wait.NAME_TAKEN: Advice(
        "A Job that NovaHunt did not make has the name of one that it has to make.",
        "Delete that Job, which the message names, or rename it where it comes from.",
        ("kubectl -n {namespace} get jobs",),
    ),
    Wait.API_REFUSED: Advice(
        "The API server refuses something that has to be written: a quota, an admission policy, or a missing right.",
        "Raise the quota, or correct the policy or the Role. It is tried again once a minute, and the rest goes on.",
        ("kubectl -n {namespace} describe resourcequotas",),
    ),
    Wait.CLUSTER_CAPACITY: Advice(
        "No node can take a pod, or the API server refuses the Job.",
        "Make room, raise the quota, or ask for less in spec.jobTemplate.",
        ("kubectl -n {namespace} describe pods -l novahunt.io/collection={name}",),
    ),
    Wait.STORAGE: Advice(
        "Documents can't be stored where they should go.",
        "Make the claim, make room, or name another place in spec.storage.persistentVolumeClaim.",
        ("kubectl -n {namespace} get pvc", _EDIT),
    ),
    Wait.STORAGE_CONFLICT: Advice(
        "An older collection uses the same folder, or one around or inside it.",
        "Set another spec.storage.persistentVolumeClaim.path. A deleted collection's folder is free once it is erased.",
        (_EDIT,),
    ),
    Wait.IMAGE_PULL: Advice(
        "The collector's image can't be had.",
        "Correct collector.image of the chart, or imagePullSecrets.",
        ("kubectl -n {namespace} describe pods -l novahunt.io/collection={name}",),
    ),
    Wait.KEY_MISSING: Advice(
        "The Secret with the Hunter key, or its key, is not there.",
        "Make it, or name another in spec.apiKeySecretRef. It goes on by itself within minutes.",
        ("kubectl -n {namespace} create secret generic {secret} --from-literal={key}=YOUR_KEY",),
    ),
    Wait.KEY_REFUSED: Advice(
        "Hunter does not accept the key, or its account has no subscription.",
        "Put a valid key into the Secret. It is tried once a minute, and goes on by itself.",
        ("kubectl -n {namespace} edit secret {secret}",),
    ),
    Wait.QUOTA_EXHAUSTED: Advice(
        "The allowance of the Hunter plan is used up.",
        "Wait for its reset date, or raise the plan and have it tried at once.",
        (_RETRY,),
    ),
    Wait.BUDGET: Advice(
        "The credits of spec.budget, or each waiting domain's share of them, are used up.",
        "Raise budget.maxCredits or budget.maxCreditsPerDomain; a monthly budget begins anew with the month (UTC).",
        ('kubectl -n {namespace} patch dcol {name} --type=merge -p \'{{"spec":{{"budget":{{"maxCredits":N}}}}}}\'',),
    ),
    Wait.BAD_REQUEST: Advice(
        "Hunter refuses the request, or something before Hunter refuses this client.",
        "Correct spec.search, or hunter.baseUrl of the chart and the way out of the cluster.",
        (_EDIT,),
    ),
    Wait.SUPPRESSION_LIST: Advice(
        "A suppression list is not there, or a line of it can't be understood; without it nothing may be stored.",
        "Make the Secret or ConfigMap that the message names, or correct the line.",
        (_SEE_STATUS,),
    ),
    Wait.HUNTER_UNAVAILABLE: Advice(
        "Hunter did not answer several times in a row.",
        "See whether the cluster lets collectors out, and whether Hunter is up. It is tried once a minute.",
        ("kubectl -n {namespace} logs -l novahunt.io/collection={name} --tail=20",),
    ),
    Wait.JOB_FAILED: Advice(
        "The Job of an estimate or a sweep failed without a word of its own, for example for its memory.",
        "See what the Job says.",
        ("kubectl -n {namespace} describe jobs -l novahunt.io/collection={name}",),
    ),
    Wait.DOMAINS_MISSING: Advice(
        "A ConfigMap of spec.domainsFrom, or its key, is not there.",
        "Make it, or remove the entry.",
        ("kubectl -n {namespace} get configmaps", _EDIT),
    ),
    Wait.INVALID_SPEC: Advice(
        "The object does not fit this version's schema.", "Correct the field that the message names.", (_EDIT,)
    ),
    Wait.SUSPENDED: Advice(
        "spec.suspend is true: no further domain starts, and those that run finish.",
        "Let it go on when you like.",
        ("novahunt -n {namespace} resume {name}",),
    ),
}

FAILURES: Mapping[str, str] = {
    "DomainRefused": "Hunter has no such domain, or its owner asked Hunter to stop: another try will end the same way.",
    "Claimed": "A person asked Hunter to be left alone: another try will end the same way.",
    "PlanReduced": "Hunter's plan shows fewer addresses than are stored; those stay: raise the plan, then try again.",
    "HunterUnavailable": "Hunter did not answer for this domain while others did well: try it later.",
    "Storage": "The document could not be stored: see to the place, or to the namespace's quota, then try again.",
    "Interrupted": "The runs were interrupted each time: try again.",
    "DeadlineExceeded": "The Job took longer than jobTemplate.activeDeadlineSeconds: raise it, then try again.",
    "BackoffLimitExceeded": "All attempts (retry.maxAttempts) failed: see the Job's logs, then try again.",
    "OutOfMemory": "The collector was killed for its memory: raise jobTemplate.resources, then try again.",
    "JobFailed": "The Job failed without a word of its own: see its logs, then try again.",
}
_OTHER_FAILURE = "See the message of the DomainResult, then try again."


def explain(collection: Collection, failed: Mapping[str, int] | None = None) -> tuple[Paragraph, ...]:
    """Return what is to be said of a collection, the gravest thing first; there is always something.

    Args:
        collection: As last read.
        failed: Failed DomainResults by reason; None: only what the status names. Some may not count any more, because
            their domain was removed from the list or is to run again: how many do is what the status says.
    """
    return tuple(_paragraphs(collection, failed))


def waits_for(collection: Collection) -> str:
    """Return the sentence of what it waits for; empty for nothing."""
    for kind in (ConditionType.STALLED, ConditionType.WAITING, ConditionType.SUSPENDED):
        found = find(collection.status.conditions, kind)
        if found is not None and found.status == "True":
            return f"{found.reason}: {found.message}" if found.message else found.reason
    return ""


def _paragraphs(collection: Collection, failed: Mapping[str, int] | None) -> Iterator[Paragraph]:
    if collection.deleting:
        yield Paragraph(
            "It is being deleted.",
            "Its Jobs go with it; results stay or go as spec.deletionPolicy says.",
            "Nothing has to be done, unless a finalizer keeps it; metadata.finalizers names those.",
        )
        return
    if collection.spec_error is not None:
        yield _of_reason(Wait.INVALID_SPEC, collection.spec_error, collection)
        return
    silent = _silence(collection)
    if silent is not None:
        yield silent
        if not collection.status.conditions:
            return
    yield _state(collection)
    yield from _failures(collection, failed)
    yield from _left_out(collection)


def _silence(collection: Collection) -> Paragraph | None:
    """Say that the operator has not taken up what is wanted."""
    seen = collection.status.observed_generation
    if seen >= collection.generation and collection.status.conditions:
        return None
    headline = (
        "The operator has not taken up the last edit yet."
        if seen > 0
        else "The operator has not seen this collection yet."
    )
    return Paragraph(
        headline,
        "That takes seconds. If it lasts, the operator is not running, or does not watch this namespace.",
        "See whether it runs, and whether watchNamespaces of the chart names the namespace.",
        ("kubectl get pods -A -l app.kubernetes.io/name=novahunt",),
    )


def _state(collection: Collection) -> Paragraph:
    found = {kind: find(collection.status.conditions, kind) for kind in ConditionType}

    def holds(kind: ConditionType) -> Condition | None:
        condition = found[kind]
        return condition if condition is not None and condition.status == "True" else None

    stalled, waiting = holds(ConditionType.STALLED), holds(ConditionType.WAITING)
    if stalled is not None:
        return _of_reason(stalled.reason, f"A person is needed: {_said(stalled)}", collection)
    if holds(ConditionType.SUSPENDED) is not None:
        running = _running(collection)
        more = f" {running} still run and will finish." if running else ""
        return _of_reason(Wait.SUSPENDED, f"It is suspended.{more}", collection)
    if waiting is not None:
        return _of_reason(waiting.reason, f"It waits: {_said(waiting)}", collection)
    ready = found[ConditionType.READY]
    if ready is not None and ready.status == "True":
        return _ended(collection, ready)
    running = _running(collection)
    if running:
        return Paragraph(f"It works: {running} run, and nothing holds it up.", "", "Nothing has to be done.")
    return Paragraph(
        "Nothing runs, and nothing is known to hold it up.",
        _said(ready) if ready is not None else "",
        "If that lasts, see its Events.",
        _filled((_SEE_STATUS,), collection),
    )


def _ended(collection: Collection, ready: Condition) -> Paragraph:
    name, namespace = collection.key.name, collection.key.namespace
    if ready.reason == "Estimated":
        command = f'kubectl -n {namespace} patch dcol {name} --type=merge -p \'{{"spec":{{"mode":"Collect"}}}}\''
        return Paragraph(f"It has estimated: {_said(ready)}", "", "This collects them, and spends credits:", (command,))
    refresh = collection.status.next_refresh_at
    return Paragraph(
        f"It is done, and waits for nothing: {_said(ready)}",
        f"It collects again from {refresh} on (spec.refreshAfter)." if refresh else "",
        "This lists its results:",
        (f"novahunt -n {namespace} results {name}",),
    )


def _failures(collection: Collection, failed: Mapping[str, int] | None) -> Iterator[Paragraph]:
    counts = collection.status.domains
    # The operator knows the list's ConfigMaps and the wishes: what it counts is what a retry would run.
    total = counts.failed if counts is not None else sum((failed or {}).values())
    if not total:
        return
    verb = "domain has" if total == 1 else "domains have"
    reasons = _reasons(collection, failed or {}, total)
    yield Paragraph(f"{total} {verb} failed.", reasons, "This runs them again:", _filled((_RETRY,), collection))


def _reasons(collection: Collection, failed: Mapping[str, int], total: int) -> str:
    """Group failed domains by reason: all of them if as many are known, else the newest, which the status names."""
    if sum(failed.values()) != total:
        failed = Counter(failure.reason for failure in collection.status.failures if failure.domain is not None)
    known = sum(failed.values())
    groups = " ".join(
        f"{number} by {reason}: {FAILURES.get(reason, _OTHER_FAILURE)}" for reason, number in sorted(failed.items())
    )
    return f"Of the newest {known}: {groups}" if 0 < known < total else groups


def _left_out(collection: Collection) -> Iterator[Paragraph]:
    counts = collection.status.domains
    if counts is None or not counts.invalid:
        return
    places = " ".join(failure.message for failure in collection.status.failures if failure.domain is None)
    noun = "entry of the list is" if counts.invalid == 1 else "entries of the list are"
    yield Paragraph(f"{counts.invalid} {noun} no domain, and left out.", places, "Correct or remove them.")


def _of_reason(reason: str, headline: str, collection: Collection) -> Paragraph:
    try:
        advice = WAITS[Wait(reason)]
    except ValueError:
        # A newer operator may name what this program does not know.
        return Paragraph(headline, "", "See its Events.", _filled((_SEE_STATUS,), collection))
    return Paragraph(headline, advice.why, advice.helps, _filled(advice.commands, collection))


def _filled(commands: tuple[str, ...], collection: Collection) -> tuple[str, ...]:
    ref = collection.spec.api_key_secret_ref
    key = collection.key
    return tuple(
        command.format(name=key.name, namespace=key.namespace, secret=ref.name, key=ref.key) for command in commands
    )


def _running(collection: Collection) -> str:
    counts = collection.status.domains
    if counts is None or not counts.running:
        return ""
    return "1 domain" if counts.running == 1 else f"{counts.running} domains"


def _said(condition: Condition) -> str:
    return f"{condition.reason}. {condition.message}".strip() if condition.message else f"{condition.reason}."
