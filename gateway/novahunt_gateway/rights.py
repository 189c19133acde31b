"""The rights that callers need, as Kubernetes names them, over REST and on the page alike."""

from enum import StrEnum


class Right(StrEnum):
    """What a caller may do with a namespace's collections."""

    LIST = "list"
    GET = "get"
    CREATE = "create"
    PATCH = "patch"
    CONTENT = "content"
    """Read addresses: get on `domaincollections/content`."""

    @property
    def verb(self) -> str:
        """The verb on the resource."""
        return "get" if self is Right.CONTENT else self.value

    @property
    def subresource(self) -> str:
        """The subresource; empty: the resource itself."""
        return "content" if self is Right.CONTENT else ""


class AwayError(Exception):
    """Nobody's rights can be known now: the API server does not answer."""
