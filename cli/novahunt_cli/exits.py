"""How the command line ends: the exit codes that scripts read, and the errors that lead to them."""

from enum import IntEnum

from kubernetes.aio.config import ConfigException

from novahunt_api.cluster import ApiError, ConflictError, NoRightError, NotFoundError, UnavailableError


class Exit(IntEnum):
    """Exit codes; docs/command-line.md tells them to people."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    SOME_FAILED = 3
    """The end has come, and some domains have failed."""
    STALLED = 4
    """A person is needed."""
    TIMEOUT = 5
    NOT_FOUND = 6
    NOT_ALLOWED = 7
    INTERRUPTED = 130


class CommandError(Exception):
    """A command can't do what it was asked; its text is one line that says what, where and what to do."""

    def __init__(self, message: str, code: Exit = Exit.ERROR) -> None:
        super().__init__(message)
        self.code = code


_NO_KINDS = "404 page not found"
"""The API server's words for a path that it serves nothing under."""


def of_api(error: ApiError, host: str) -> CommandError:
    """Return what a person is told of a refused call."""
    message, code = _said(error, host)
    return CommandError(message, code)


def _said(error: ApiError, host: str) -> tuple[str, Exit]:
    match error:
        case UnavailableError(code=0):
            said = f"the cluster at {host} can't be reached ({error.reason}): see whether it is up, or name a --context"
        case UnavailableError():
            said = f"the cluster at {host} is too busy ({error.code} {error.message}): try again later"
        case NoRightError():
            return f"not allowed: {error.message}; ask for that right (Role, RoleBinding)", Exit.NOT_ALLOWED
        case ApiError(code=401):
            return f"the cluster at {host} does not accept your login: log in again", Exit.NOT_ALLOWED
        case NotFoundError(message=text) if _NO_KINDS in text:
            said = f"the cluster at {host} has no DomainCollections: install the chart novahunt, or name a --context"
            return said, Exit.NOT_FOUND
        case NotFoundError():
            return f"{error.message}: see what there is with `novahunt status -A`", Exit.NOT_FOUND
        case ConflictError():
            said = f"{error.message}: try again, or take another name"
        case _:
            said = f"the API server refuses it: {error.message}"
    return said, Exit.ERROR


def of_kubeconfig(error: ConfigException) -> CommandError:
    """Return what a person is told when no connection is configured."""
    said = " ".join(str(error).split())
    return CommandError(f"no cluster to speak to: {said}; set KUBECONFIG, or give --kubeconfig and --context")
