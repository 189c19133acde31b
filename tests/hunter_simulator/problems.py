"""Hunter's error answers: which identifiers and words they carry, and the three forms in which they come."""

from html import escape
from typing import Literal

import msgspec

ErrorForm = Literal["errors", "error", "html"]
"""`errors` is today's form, `error` the old one; `html` is what a proxy in front of Hunter sends."""


class Problem(msgspec.Struct, frozen=True):
    """One error: an HTTP status, Hunter's identifier for it, and words for a person."""

    status: int
    id: str
    details: str


class RefusedError(Exception):
    """A request that is answered with a problem instead of data."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.details)
        self.problem = problem


class _Error(msgspec.Struct, frozen=True):
    id: str
    code: int
    details: str


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[_Error, ...]


class _OldError(msgspec.Struct, frozen=True):
    error: _Error


CLIENT_REFUSED = b"error code: 1010"
"""What Cloudflare, in front of Hunter, sends to default Python clients with status 403; no JSON."""

MISSING_DOMAIN = Problem(400, "wrong_params", "You are missing the domain or company parameter.")
INVALID_DOMAIN = Problem(400, "invalid_domain", "The domain name is invalid, has no MX record or cannot be searched.")
INVALID_TYPE = Problem(400, "invalid_type", "The supplied `type` is invalid.")
INVALID_SENIORITY = Problem(400, "invalid_seniority", "The supplied `seniority` is invalid.")
INVALID_DEPARTMENT = Problem(400, "invalid_department", "The supplied `department` is invalid.")
INVALID_REQUIRED_FIELD = Problem(400, "invalid_required_field", "The supplied `required_field` is invalid.")
INVALID_VERIFICATION_STATUS = Problem(
    400, "invalid_verification_status", "The supplied `verification_status` is invalid."
)
LIMIT_OUT_OF_RANGE = Problem(400, "pagination_error", "The limit should be a number between 1 and 100.")
OFFSET_OUT_OF_RANGE = Problem(400, "pagination_error", "The offset should be a number between 0 and 10000.")
NO_KEY = Problem(401, "authentication_failed", "No user found for the API key supplied.")
"""The same answer for no key and for a wrong one."""
RESTRICTED_ACCOUNT = Problem(429, "restricted_account", "This account is restricted: it has no active subscription.")
NOT_FOUND = Problem(404, "not_found", "The requested resource does not exist.")
METHOD_NOT_ALLOWED = Problem(405, "method_not_allowed", "This resource can only be read with GET.")


def over_plan_cap(cap: int) -> Problem:
    """Return the refusal of a page that reaches beyond the number of addresses the plan shows."""
    return Problem(
        400, "pagination_error", f"The search results are limited to {cap} email addresses on your current plan."
    )


def too_fast(status: Literal[403, 429]) -> Problem:
    """Return the answer to a request above the rate: 403 as documented, or 429 as in Hunter's newer client."""
    return Problem(
        status, "too_many_requests", "You have reached the rate limit: too many requests per second or minute."
    )


def used_up(status: Literal[429, 402]) -> Problem:
    """Return the answer when the plan's credits are gone: 429 as documented, or 402 as in Hunter's newer client."""
    return Problem(
        status,
        "usage_limit_reached" if status == 429 else "payment_required",
        "You have reached the usage limit of your plan for this billing period. Upgrade your plan if necessary.",
    )


_BY_STATUS = {
    problem.status: problem
    for problem in (
        Problem(400, "wrong_params", "The request is not valid."),
        NO_KEY,
        used_up(402),
        too_fast(403),
        NOT_FOUND,
        Problem(422, "invalid_request", "The request is valid but can't be carried out."),
        # Deliberately unclear: neither the words for "too fast" nor those for "used up".
        Problem(429, "too_many_requests", "Too many requests."),
        Problem(451, "claimed_email", "The owner of this email address asked us to stop processing it."),
        Problem(500, "server_error", "Something went wrong on our side."),
        Problem(502, "bad_gateway", "Something went wrong on our side."),
        Problem(503, "unavailable", "The service is temporarily unavailable."),
        Problem(504, "timeout", "The service did not answer in time."),
    )
}


def usual(status: int) -> Problem:
    """Return the problem that Hunter's documentation connects with a status, or a nameless one."""
    return _BY_STATUS.get(status) or Problem(status, "unknown_error", f"The request ended with status {status}.")


def body_of(problem: Problem, form: ErrorForm) -> tuple[bytes, str]:
    """Return the body of an error answer, and its content type."""
    error = _Error(problem.id, problem.status, problem.details)
    if form == "errors":
        return msgspec.json.encode(_Errors((error,))), "application/json"
    if form == "error":
        return msgspec.json.encode(_OldError(error)), "application/json"
    return html_page(problem.status, problem.details), "text/html"


def html_page(status: int, text: str) -> bytes:
    """Return the kind of page that proxies send in place of an answer."""
    return (
        f"<!DOCTYPE html>\n<html><head><title>{status}</title></head>"
        f"<body><h1>{status}</h1><p>{escape(text)}</p></body></html>\n"
    ).encode()
