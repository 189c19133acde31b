"""Spans of a collector's work, where an endpoint for them is set; else nothing is imported and nothing is made."""

import contextlib
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from novahunt_contract import traces

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_log = logging.getLogger(__name__)

_NOTHING = contextlib.nullcontext()


class _Process:
    """The process's one maker of spans."""

    provider: "TracerProvider | None" = None


def start(environ: Mapping[str, str]) -> None:
    """Make spans from now on, below the one that TRACEPARENT names, if the environment says where they go."""
    if not environ.get(traces.ENDPOINT):
        return
    try:
        # Costs a third of a second and megabytes.
        from opentelemetry import context, trace

        from novahunt_contract import spans
    except ImportError:
        _log.warning("%s is set, but there are no traces: install novahunt[tracing]", traces.ENDPOINT)
        return
    _Process.provider = spans.provider("novahunt-collector")
    parent = traces.read_parent(environ.get(traces.TRACEPARENT, ""))
    if parent is not None:
        context.attach(trace.set_span_in_context(spans.remote(parent)))


def close() -> None:
    """Send the last spans, for two seconds at most; the receipt is written before."""
    if _Process.provider is None:
        return
    from novahunt_contract import spans

    # The receipt is written and the end is near: what the loop's end has left would turn it into a signal's.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    provider, _Process.provider = _Process.provider, None
    if not spans.close(provider):
        _log.warning("the last spans were not taken within %g s: they are lost", spans.CLOSE_SECONDS)


def span(name: str, **attributes: str | int) -> AbstractContextManager[None]:
    """Let what is done inside be a span; its attributes may hold neither key, address nor query string."""
    return _NOTHING if _Process.provider is None else _span(_Process.provider, name, attributes)


def note(**attributes: str | int) -> None:
    """Add to the attributes of the span in hand."""
    if _Process.provider is not None:
        from opentelemetry import trace

        trace.get_current_span().set_attributes(_named(attributes))


@contextlib.contextmanager
def _span(provider: "TracerProvider", name: str, attributes: Mapping[str, str | int]) -> Iterator[None]:
    from opentelemetry import trace

    tracer = provider.get_tracer("novahunt")
    made = tracer.start_as_current_span(
        name, attributes=_named(attributes), record_exception=False, set_status_on_exception=False
    )
    with made as current:
        try:
            yield
        except BaseException as error:
            # Its own text may hold anything.
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def _named(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    return {f"novahunt.{name}": value for name, value in attributes.items()}
