"""Finds out in which of the watched namespaces the operator may work: one that was deleted must not stop the others."""

import asyncio
import logging
from collections.abc import Iterable

from novahunt_api import paths, wire
from novahunt_api.cluster import ApiError, Cluster, NoRightError

PATIENCE_SECONDS = 20.0
"""An API server that has just started refuses everything until it has read its roles."""
LOOK_SECONDS = 20.0
"""Between two looks at namespaces that are left out."""
_PAUSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class NamespaceIsBackError(Exception):
    """A namespace that was left out can be worked in: the process should end, and start anew with it."""


class Territory:
    """The watched namespaces that can be worked in, and those that are left out."""

    def __init__(self, cluster: Cluster, namespaces: tuple[str, ...]) -> None:
        """Take the namespaces to watch; none means all, of which none is ever left out."""
        self._cluster = cluster
        self._wanted = namespaces
        self.left_out: frozenset[str] = frozenset()
        self.trouble = ""
        """Why it is not known yet where to work; empty when it is, or nobody has looked."""

    @property
    def namespaces(self) -> tuple[str | None, ...]:
        """Those to work in; None stands for all."""
        if not self._wanted:
            return (None,)
        return tuple(one for one in self._wanted if one not in self.left_out)

    async def explore(self) -> None:
        """Leave out those where the account may not list collections, for a while and while it may in others.

        Where it may nowhere, this waits: there is nothing else to do. Done again, it takes up those that are back,
        and is patient only with what is refused for the first time.
        """
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + PATIENCE_SECONDS
        refused = await self._refused(self._wanted)
        while self._is_worth_waiting(refused, patient=loop.time() < patient_until):
            nowhere = ", ".join(sorted(refused))
            self.trouble = f"its account may not list DomainCollections in {nowhere}: is a Role missing?"
            await asyncio.sleep(_PAUSE_SECONDS)
            refused = await self._refused(refused)
        self.trouble = ""
        new, self.left_out = refused - self.left_out, refused
        for namespace in sorted(new):
            _log.error(
                "namespace %s is left out: the operator's account may not list DomainCollections there. Make the"
                " namespace and its Role again, or take it out of watchNamespaces",
                namespace,
            )

    def _is_worth_waiting(self, refused: frozenset[str], *, patient: bool) -> bool:
        if not refused:
            return False
        return len(refused) == len(self._wanted) or (patient and not refused <= self.left_out)

    async def until_one_is_back(self) -> None:
        """Wait for one that is left out, for ever where none is.

        Raises:
            NamespaceIsBackError: there is one.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            back = self.left_out - await self._refused(self.left_out)
            if back:
                raise NamespaceIsBackError(f"{', '.join(sorted(back))} can be worked in again")

    async def _refused(self, namespaces: Iterable[str]) -> frozenset[str]:
        asked = tuple(namespaces)
        may = await asyncio.gather(*(self._may_work_in(one) for one in asked))
        return frozenset(one for one, may_there in zip(asked, may, strict=True) if not may_there)

    async def _may_work_in(self, namespace: str) -> bool:
        try:
            await self._cluster.get(paths.collections(namespace), wire.Page[wire.Kind], {"limit": "1"})
        except NoRightError:
            return False
        except ApiError:
            # Away or too busy, which the watches wait out.
            return namespace not in self.left_out
        return True
