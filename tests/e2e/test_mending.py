"""What keeps a collection from running on a real node is named within 15 seconds, and it goes on once it is mended."""

import pytest

from e2e.node import SALES, CollectionObject, Node
from tools.images import COLLECTOR

pytestmark = pytest.mark.node

SECONDS_TO_NAME = 15.0


def stalls(node: Node, name: str, reason: str) -> CollectionObject:
    return node.until(
        name, lambda c: c.condition("Stalled")[:2] == ("True", reason), f"stalled for {reason}", SECONDS_TO_NAME
    )


def test_a_missing_secret(node: Node) -> None:
    node.collect("no-secret", ["n3.example"], apiKeySecretRef={"name": "late-key", "key": "HUNTER_API_KEY"})
    assert "late-key" in stalls(node, "no-secret", "KeyMissing").condition("Stalled")[2]
    node.set_key(name="late-key")
    assert node.ready("no-secret").status.emails == 3


def test_a_wrong_key(node: Node) -> None:
    node.set_key("wrong", name="bad-key")
    node.collect("bad-key", ["n4.example"], apiKeySecretRef={"name": "bad-key", "key": "HUNTER_API_KEY"})
    stalls(node, "bad-key", "KeyRefused")
    node.set_key(name="bad-key")
    assert node.ready("bad-key").status.emails == 4


def test_an_unknown_claim(node: Node) -> None:
    node.collect("no-claim", ["n5.example"], storage={"persistentVolumeClaim": {"claimName": "nowhere"}})
    assert "nowhere" in stalls(node, "no-claim", "Storage").condition("Stalled")[2]
    group = {"podSecurityContext": {"fsGroup": 2000}}
    node.collect(
        "no-claim",
        ["n5.example"],
        storage={"persistentVolumeClaim": {"claimName": "collections"}},
        jobTemplate=group,
    )
    assert node.ready("no-claim").status.emails == 5


def test_an_image_that_cant_be_pulled(node: Node) -> None:
    node.install(collector__image__tag="absent")
    try:
        node.collect("no-image", ["n6.example"])
        assert "absent" in stalls(node, "no-image", "ImagePull").condition("Stalled")[2]
    finally:
        node.install()
    assert node.ready("no-image").status.emails == 6
    image = node.kubectl("get", "jobs", "-n", SALES, "-l", "novahunt.io/collection=no-image", "-o", "yaml")
    assert COLLECTOR.reference(None) in image
