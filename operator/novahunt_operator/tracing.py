"""The operator's spans: one for each run, from its Job's creation to its record; collectors' spans are below it."""

import time
from typing import TYPE_CHECKING

from novahunt_contract import traces
from novahunt_contract.document import started_at
from novahunt_contract.traces import RunTrace
from novahunt_operator.records import Job

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


class Traces:
    """Tells of runs that are recorded; where traces are off, to nobody."""

    def __init__(self, *, on: bool = False) -> None:
        """Import and start what sends spans, if traces are on."""
        self._provider: TracerProvider | None = None
        self._next = RunTrace(0, 0)
        if on:
            self._provider = self._open()

    def recorded(self, job: Job, *, collection: str, outcome: str, reason: str) -> None:
        """Tell of a run whose end is in its DomainResult now.

        Told twice, after a restart between the record and the Job's deletion, it is the same span again.
        """
        if self._provider is None:
            return
        from opentelemetry.context import Context

        self._next = traces.of_run(job.owner_uid, job.domain, job.run)
        attributes: dict[str, str | int] = {
            "novahunt.collection": collection,
            "novahunt.domain": job.domain,
            "novahunt.run": job.run,
            "novahunt.outcome": outcome,
            "novahunt.reason": reason,
        }
        tracer = self._provider.get_tracer("novahunt")
        begun = started_at(job.job_id) * 1_000_000
        tracer.start_span("run", Context(), attributes=attributes, start_time=begun).end(time.time_ns())

    def close(self) -> None:
        """Send the last spans, for two seconds at most."""
        if self._provider is not None:
            from novahunt_contract import spans

            spans.close(self._provider)

    def _open(self) -> "TracerProvider":
        # Costs a third of a second and megabytes, so not where traces are off.
        from opentelemetry.sdk.trace.id_generator import IdGenerator

        from novahunt_contract import spans

        told = self

        class OfRuns(IdGenerator):
            """Gives each run's span the ids that its collector was told."""

            def generate_trace_id(self) -> int:
                return told._next.trace_id

            def generate_span_id(self) -> int:
                return told._next.span_id

        return spans.provider("novahunt-operator", OfRuns())
