"""Turns a finished answer into what a fault makes of it."""

import gzip
import json
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, assert_never

from hunter_simulator import problems
from hunter_simulator.exchange import Delivery, Outgoing
from hunter_simulator.faults import (
    Action,
    AnswerStatus,
    BrokenJson,
    CutBody,
    EmptyBody,
    HugeBody,
    Proceed,
    Redirect,
    Reset,
    TypeMistake,
    WrongTypes,
)
from hunter_simulator.hunter import Computed
from hunter_simulator.problems import ErrorForm, Problem


def comes_first(action: Action) -> bool:
    """Tell whether a fault strikes before the search is carried out, so that nothing is charged."""
    match action:
        case AnswerStatus(charged=charged) | Reset(charged=charged):
            return not charged
        case Redirect():
            return True
        case _:
            return False


def without_answer(action: Action, form: ErrorForm, now: datetime) -> Outgoing | None:
    """Return what a fault sends that needs no finished answer, or None for those that spoil one."""
    match action:
        case AnswerStatus():
            return _status_answer(action, form, now)
        case Redirect(status=status, location=location):
            return Outgoing(status=status, headers=(("Location", location),), content_type="text/html")
        case Reset():
            return Outgoing(status=0, delivery="reset")
        case Proceed() | CutBody() | EmptyBody() | BrokenJson() | WrongTypes() | HugeBody():
            return None
    assert_never(action)


def spoiled(action: Action, answer: Computed) -> Outgoing:
    """Return a finished answer as this fault lets it arrive."""
    match action:
        case CutBody(kept=share, chunked=chunked):
            kept = min(int(len(answer.body) * share), len(answer.body) - 1)
            return _sent(answer, answer.body, "cut_chunked" if chunked else "cut", kept=kept)
        case EmptyBody():
            return _sent(answer, b"")
        case BrokenJson():
            return _sent(answer, answer.body[: len(answer.body) // 2])
        case WrongTypes(mistake=mistake):
            is_json = answer.content_type == "application/json"
            return _sent(answer, wrong_types(answer.body, mistake) if is_json else answer.body)
        case HugeBody():
            return _huge(action, answer)
        case _:
            return _sent(answer, answer.body)


def wrong_types(body: bytes, mistake: TypeMistake) -> bytes:
    """Return the JSON answer with one value of the wrong type; an answer without that value stays as it is."""
    answer: Any = json.loads(body)
    if mistake == "answer_is_list":
        return json.dumps([answer]).encode()
    if mistake.startswith("data_is"):
        answer["data"] = [] if mistake == "data_is_list" else None
    elif mistake == "meta_is_missing":
        answer.pop("meta", None)
    elif mistake == "results_is_text":
        answer.setdefault("meta", {})["results"] = "many"
    else:
        _mistaken_emails(answer.get("data"), mistake)
    return json.dumps(answer).encode()


def _mistaken_emails(data: Any, mistake: TypeMistake) -> None:
    if not isinstance(data, dict) or not isinstance(data.get("emails"), list):
        return
    if mistake == "emails_is_object":
        data["emails"] = dict(enumerate(data["emails"]))
        return
    field, value = {
        "value_is_number": ("value", 17),
        "confidence_is_text": ("confidence", "high"),
        "sources_is_text": ("sources", "none"),
    }[mistake]
    for email in data["emails"]:
        email[field] = value


def _status_answer(action: AnswerStatus, form: ErrorForm, now: datetime) -> Outgoing:
    usual = problems.usual(action.status)
    problem = Problem(action.status, action.error_id or usual.id, action.details or usual.details)
    if action.form == "text":
        body, content_type = problems.CLIENT_REFUSED, "text/plain"
    elif action.form == "empty":
        body, content_type = b"", "text/plain"
    else:
        body, content_type = problems.body_of(problem, form if action.form == "as_settings" else action.form)
    headers: tuple[tuple[str, str], ...] = ()
    if action.retry_after is not None:
        value = str(action.retry_after)
        if action.retry_after_as_date:
            # An HTTP date has whole seconds; rounded up, so that it never comes before the time that was asked for.
            moment = now + timedelta(seconds=action.retry_after, microseconds=999_999)
            value = format_datetime(moment.replace(microsecond=0), usegmt=True)
        headers = (("Retry-After", value),)
    return Outgoing(status=action.status, body=body, content_type=content_type, headers=headers)


def _huge(action: HugeBody, answer: Computed) -> Outgoing:
    body = answer.body + b" " * max(0, action.size - len(answer.body))
    headers: tuple[tuple[str, str], ...] = ()
    if action.compressed:
        body = gzip.compress(body, compresslevel=1)
        headers = (("Content-Encoding", "gzip"),)
    delivery: Delivery = "whole" if action.announced else "chunked"
    return Outgoing(
        status=answer.status, body=body, content_type=answer.content_type, headers=headers, delivery=delivery
    )


def _sent(answer: Computed, body: bytes, delivery: Delivery = "whole", *, kept: int = 0) -> Outgoing:
    return Outgoing(status=answer.status, body=body, content_type=answer.content_type, delivery=delivery, kept=kept)
