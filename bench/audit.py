"""Reads the API server's audit log: who called what when, as the server itself saw it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec


class Object(msgspec.Struct, frozen=True, rename="camel"):
    """What a call was about."""

    api_group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class _User(msgspec.Struct, frozen=True):
    username: str


class _Answer(msgspec.Struct, frozen=True):
    code: int = 0


class _Authorization(msgspec.Struct, frozen=True):
    decision: str = msgspec.field(default="", name="authorization.k8s.io/decision")


class Call(msgspec.Struct, frozen=True, rename="camel"):
    """One call; times are the server's."""

    verb: str
    user: _User
    request_received_timestamp: datetime
    stage_timestamp: datetime
    object_ref: Object = Object()
    response_status: _Answer = _Answer()
    annotations: _Authorization = _Authorization()
    request_uri: str = msgspec.field(default="", name="requestURI")

    @property
    def kind(self) -> str:
        """The resource, with its subresource: `pods/status`."""
        return f"{self.object_ref.resource}/{self.object_ref.subresource}".rstrip("/")

    @property
    def writes(self) -> bool:
        """Whether it is a write."""
        return self.verb not in ("get", "list", "watch")

    @property
    def succeeded(self) -> bool:
        """Whether the server carried it out."""
        return 200 <= self.response_status.code < 300  # noqa: PLR2004 - success

    @property
    def forbidden(self) -> bool:
        """Whether roles did not allow it; admission, quotas among it, refuses with the same code."""
        return self.annotations.decision == "forbid"


def read(log: Path, namespace: str) -> Iterator[Call]:
    """Yield the calls about a namespace's objects, in the order of their ends; files that were rotated come first."""
    return (call for call in _marked(log, f'"namespace":"{namespace}"') if call.object_ref.namespace == namespace)


def read_of(log: Path, user: str) -> Iterator[Call]:
    """Yield a user's calls, whatever they are about, in the same order."""
    return (call for call in _marked(log, f'"username":"{user}"') if call.user.username == user)


def _marked(log: Path, mark: str) -> Iterator[Call]:
    decoder = msgspec.json.Decoder(Call)
    rotated = sorted(log.parent.glob(f"{log.stem}-*{log.suffix}"))
    for file in (*rotated, log):
        with file.open("rb") as lines:
            for line in lines:
                # Most lines are of others, and the last one may be written at this moment.
                if mark.encode() in line and line.endswith(b"\n"):
                    yield decoder.decode(line)


def writes(calls: Iterable[Call], user: str) -> Counter[str]:
    """Count a user's writes by verb and kind, refused ones included."""
    return Counter(f"{call.verb} {call.kind}" for call in calls if call.writes and call.user.username == user)
