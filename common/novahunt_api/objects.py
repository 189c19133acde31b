"""Names objects of Kubernetes."""

import msgspec


class Key(msgspec.Struct, frozen=True, order=True):
    """Names a namespaced object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return `namespace/name`, as kubectl and logs show it."""
        return f"{self.namespace}/{self.name}"
