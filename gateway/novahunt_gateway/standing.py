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
    def wish(self) -> str | None:
        """The value of `recollect` that it is under, or that its result answers where nothing else is known of it."""
        wishes, one = self.wishes, self.collection
        if wishes is not None and one is not None and one.spec_error is None:
            return wishes.recollect
        return self.result.recollect if self.result is not None else None

    @property
    def wishes(self) -> CollectionSpec | None:
        """The wishes that it is under; None: nobody wants it collected there any more."""
        one = self.collection
        if one is None:
            return None
        # Whether a ConfigMap names it is not known here: until everything is done, it may be. Nor is what a spec lists
        # that can't be read.
        may_be_named = one.spec_error is not None or (bool(one.spec.domains_from) and not one.is_ready)
        return one.spec if self.is_listed or may_be_named else None
