"""Compares what roles grant an account with what it asked the API server for: nothing unused, nothing refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import msgspec

from bench.audit import Call


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource, as small as a role can grant it."""

    namespace: str
    """Empty: in the whole cluster."""
    group: str
    resource: str
    """With its subresource: `domaincollections/status`."""
    verb: str
    name: str = ""
    """The one object that it is limited to; empty: all of them."""

    def allows(self, call: Call) -> bool:
        """Tell whether it is what allows a call."""
        about = call.object_ref
        return (
            (self.group, self.resource, self.verb) == (about.api_group, call.kind, call.verb)
            and self.namespace in ("", about.namespace)
            and self.name in ("", about.name)
        )

    def __str__(self) -> str:
        """Return it in a person's words."""
        about = f"{self.resource}.{self.group}".rstrip(".") + (f" {self.name}" if self.name else "")
        return f"{self.verb} {about} in {self.namespace or 'the whole cluster'}"


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """A rule of a Role or a ClusterRole."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Comparison:
    """What an account may do, beside what it did."""

    unused: tuple[Right, ...]
    """What no call needed."""
    refused: tuple[str, ...]
    """Calls that no role allowed."""
    elsewhere: tuple[str, ...]
    """Calls that were allowed by none of these rights: by what Kubernetes grants every account."""


def granted(rules: Iterable[Rule], namespace: str) -> list[Right]:
    """Take rules apart into single rights; empty namespace: they hold in the whole cluster."""
    return [
        Right(namespace, group, resource, verb, name)
        for rule in rules
        for group, resource, verb, name in product(rule.api_groups, rule.resources, rule.verbs, rule.resource_names)
    ]


def compare(rights: Sequence[Right], calls: Iterable[Call]) -> Comparison:
    """Compare an account's rights with its calls."""
    unused = set(rights)
    refused, elsewhere = set(), set()
    for call in calls:
        used = {right for right in rights if right.allows(call)}
        if call.forbidden:
            refused.add(_words(call))
        elif used:
            unused -= used
        else:
            elsewhere.add(_words(call))
    return Comparison(tuple(sorted(unused)), tuple(sorted(refused)), tuple(sorted(elsewhere)))


def _words(call: Call) -> str:
    about = call.object_ref
    if not about.resource:
        return f"{call.verb} {call.request_uri.partition('?')[0]}"
    return str(Right(about.namespace, about.api_group, call.kind, call.verb, about.name))
