"""Answers of the page: templates, and the headers that each answer carries."""

import hashlib
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from fastapi import Response

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""What we serve ourselves, beside pages."""

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("novahunt_gateway.page"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(template: str, status: int = 200, **shown: Any) -> Response:
    """Return a page; everything shown is escaped."""
    text = _templates.get_template(template).render(**shown)
    return Response(text, status, HEADERS, "text/html; charset=utf-8")


def fragment(template: str, if_none_match: str | None, **shown: Any) -> Response:
    """Return a part of a page, or 304 when the script has that very one."""
    text = _templates.get_template(template).render(**shown).encode()
    tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {**HEADERS, "ETag": tag}
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    return Response(text, 200, headers, "text/html; charset=utf-8")


def redirect(path: str) -> Response:
    """Send the browser to a path of ours, to be read with GET."""
    return Response(status_code=303, headers={**HEADERS, "Location": path})


@cache
def file(name: str) -> Response:
    """Return one of FILES."""
    data = (resources.files("novahunt_gateway.page") / "static" / name).read_bytes()
    return Response(data, 200, {**HEADERS, "Cache-Control": "public, max-age=300"}, FILES[name])
