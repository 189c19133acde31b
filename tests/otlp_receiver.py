"""A receiver of spans in this process: OTLP over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """What has come until now."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []
        self.asked = threading.Event()
        """Set when spans come."""
        self.answers = threading.Event()
        """Cleared: requests are taken and not answered."""
        self.answers.set()

    def text(self) -> str:
        """Return all that has come, with its resources, as text, but ids: their bytes may be any letters."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        for request in requests:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        span.trace_id = span.span_id = span.parent_span_id = b""
        return "".join(str(request) for request in requests)

    def spans(self) -> list[Span]:
        """Return all spans."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def receiving(address: str = "127.0.0.1") -> Iterator[Receiver]:
    """Take spans until the end of the block, at this address of the machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.asked.set()
            receiver.answers.wait()
            assert self.path == "/v1/traces"
            receiver.bodies.append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with ThreadingHTTPServer((address, 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://{address}:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.answers.set()
            server.shutdown()


def attributes(span: Span) -> dict[str, str | int]:
    """Return a span's attributes."""
    return {
        one.key: one.value.string_value if one.value.HasField("string_value") else one.value.int_value
        for one in span.attributes
    }
