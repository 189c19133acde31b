"""Names the trace of each run of a domain, alike in every process, so that none has to remember it."""

import hashlib
from typing import NamedTuple

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Where spans go, as OpenTelemetry names it; unset or empty: there are no traces."""

TRACEPARENT = "TRACEPARENT"
"""The span that a process works for, in the form of W3C Trace Context (version 00)."""


class RunTrace(NamedTuple):
    """The trace of a run, and its first span, below which all others are."""

    trace_id: int
    span_id: int

    @property
    def parent(self) -> str:
        """The value of TRACEPARENT, sampled."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-01"


def of_run(uid: str, domain: str, run: int) -> RunTrace:
    """Return the trace of a run of a domain, for the collection of a UID."""
    digest = hashlib.sha256(f"{uid}\n{domain}\n{run}".encode()).digest()
    # Neither may be 0 (W3C Trace Context, section 3.2.2).
    return RunTrace(int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1)


def read_parent(text: str) -> RunTrace | None:
    """Read a TRACEPARENT; None where it is none."""
    version, _, rest = text.partition("-")
    trace_id, _, rest = rest.partition("-")
    span_id, _, flags = rest.partition("-")
    if [len(part) for part in (version, trace_id, span_id, flags)] != [2, 32, 16, 2] or version != "00":
        return None
    try:
        found = RunTrace(int(trace_id, 16), int(span_id, 16))
    except ValueError:
        return None
    return found if all(found) else None
