"""Sends spans by OTLP over HTTP. Imports the SDK of OpenTelemetry, so it is imported only where traces are on."""

import logging
import threading

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from novahunt_contract import __version__
from novahunt_contract.traces import RunTrace

_SEND_SECONDS = 2.0
"""For one request with spans; what is not taken by then is dropped."""

CLOSE_SECONDS = 2.0
"""How long the end of a process may wait for its last spans."""


def provider(service: str, ids: IdGenerator | None = None) -> TracerProvider:
    """Return what makes and sends spans; the SDK reads the endpoint from the environment.

    Args:
        service: Names the program.
        ids: Makes ids; None: by chance.
    """
    # What goes wrong with spans is no matter of the work, and its text may hold what a header holds.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    session = requests.Session()
    # The environment's proxy is for the way to Hunter.
    session.trust_env = False
    resource = Resource.create({"service.name": service, "service.version": __version__})
    found = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    found.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(session=session, timeout=_SEND_SECONDS)))
    return found


def close(of: TracerProvider) -> bool:
    """Send what is left, but don't wait longer than CLOSE_SECONDS; tell whether it came to an end."""
    thread = threading.Thread(target=of.shutdown, name="last spans", daemon=True)
    thread.start()
    thread.join(CLOSE_SECONDS)
    return not thread.is_alive()


def remote(parent: RunTrace) -> trace.Span:
    """Return a span of another process, to be the parent of spans of this one."""
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return NonRecordingSpan(SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=sampled))
