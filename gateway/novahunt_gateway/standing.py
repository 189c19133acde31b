"""How a domain stands in one collection, as last seen: what its job is told from. Pure."""

import msgspec

from novahunt_api.domaincollections import Collection
from novahunt_api.domainresults import Result
from novahunt_api.objects import Key
from novahunt_api.spec import CollectionSpec
from novahunt_api.statusobject import RunningDomain


class Standing(msgspec.Struct, frozen=True):
    """A domain in a collection that lists it, or that has or had a result of it."""

    key: Key
    """The collection's."""
    domain: str
    """In its one form."""
    collection: Collection | None
    """None: it is deleted, and has left its result."""
    result: Result | None
    is_listed: bool
    """Whether `spec.domains` names it."""

    @property
    def running(self) -> RunningDomain | None:
        """Its run, where the status tells of one."""
        running = self.collection.status.running if self.collection is not None else ()
        return next((one for one in running if one.domain == self.domain), None)

    @property
    def wishes(self) -> CollectionSpec | None:
        """The wishes that it is under; None: nobody wants it collected there any more."""
        one = self.collection
        if one is None:
            return None
        # Whether a ConfigMap names it is not known here: until everything is done, it may be.
        may_be_named = bool(one.spec.domains_from) and not one.is_ready
        return one.spec if self.is_listed or may_be_named else None
