"""What can go wrong, as types whose text says what, where and what to do; the command line prints it and exits 1."""

from collections.abc import Sequence
from pathlib import Path


class DevclusterError(Exception):
    """Every error that a person is told in one message, without a traceback."""


class RefusedInputError(DevclusterError):
    """A name, number or combination of options that cannot be carried out."""


class MissingToolsError(DevclusterError):
    """Programs that the machine lacks, all of them at once, with the way to get them."""

    def __init__(self, missing: Sequence[str], remedy: str) -> None:
        self.missing = tuple(missing)
        super().__init__(f"this machine lacks: {', '.join(missing)}\n{remedy}")


class ProgramError(DevclusterError):
    """A helper program (go, debootstrap, buildah, ip, ...) ended with an error."""

    def __init__(self, argv: Sequence[str], code: int, output: str, log: Path | None = None) -> None:
        where = f"\nwhole log: {log}" if log else ""
        super().__init__(f"`{' '.join(argv)}` ended with {code}:\n{output.strip()}{where}")


class ComponentError(DevclusterError):
    """A part of the cluster ended or did not get ready; carries the last lines of its log."""

    def __init__(self, component: str, what: str, log_tail: str) -> None:
        self.component = component
        super().__init__(f"{component} {what}; its last lines:\n{log_tail}")


class DeadlineError(DevclusterError):
    """A condition did not come true before its deadline."""


class UnknownClusterError(DevclusterError):
    """No cluster of that name is there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no cluster named {name!r}; `python -m devcluster status` lists them, `up` starts one")


class DamagedClusterError(DevclusterError):
    """A cluster is recorded as running, but parts of it have ended."""

    def __init__(self, name: str, down: Sequence[str]) -> None:
        super().__init__(
            f"cluster {name!r} is there but these parts have ended: {', '.join(down)}\n"
            f"start them again: python -m devcluster restart --name {name} {down[0]}\n"
            f"or take all of it down: python -m devcluster down --name {name}"
        )


class DamagedRecordError(DevclusterError):
    """What is remembered of a cluster cannot be read."""

    def __init__(self, file: Path, error: Exception) -> None:
        super().__init__(
            f"{file} cannot be read ({error!r}); another version of devcluster may have written it. Take its cluster "
            "down with that version"
        )


class LeftBehindError(DevclusterError):
    """`down` could not remove everything; names what is left."""
