"""What a call is about, in words that are safe as labels: verbs and resources, never the name of an object."""

import pytest

from novahunt_api import paths
from novahunt_api.paths import NONRESOURCE, Target


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (paths.collections(None), Target("domaincollections", None, named=False)),
        (paths.collections("sales"), Target("domaincollections", "sales", named=False)),
        (paths.collection_status("sales", "q4"), Target("domaincollections/status", "sales", named=True)),
        (paths.results("sales", "q4-example-com"), Target("domainresults", "sales", named=True)),
        (paths.jobs("sales", "q4-0123"), Target("jobs", "sales", named=True)),
        (paths.pods(None), Target("pods", None, named=False)),
        (paths.config_maps("sales", "leads"), Target("configmaps", "sales", named=True)),
        (paths.events("sales"), Target("events", "sales", named=False)),
        (paths.leases("nh", "leader"), Target("leases", "nh", named=True)),
        ("/api/v1/namespaces", Target("namespaces", None, named=False)),
        ("/api/v1/namespaces/sales", Target("namespaces", None, named=True)),
        (paths.ISSUER, Target(NONRESOURCE, None, named=False)),
        (paths.SIGNING_KEYS, Target(NONRESOURCE, None, named=False)),
        ("/apis/batch/v1", Target(NONRESOURCE, None, named=False)),
        ("/apis", Target(NONRESOURCE, None, named=False)),
        ("/version", Target(NONRESOURCE, None, named=False)),
    ],
)
def test_a_path_tells_its_resource_and_never_a_name(path: str, target: Target) -> None:
    assert paths.target(path) == target


@pytest.mark.parametrize(
    ("method", "path", "watching", "verb"),
    [
        ("GET", paths.jobs("sales"), False, "list"),
        ("GET", paths.jobs("sales"), True, "watch"),
        ("GET", paths.jobs("sales", "one"), False, "get"),
        ("GET", paths.SIGNING_KEYS, False, "get"),
        ("POST", paths.jobs("sales"), False, "create"),
        ("PUT", paths.leases("nh", "leader"), False, "update"),
        ("PATCH", paths.collection_status("sales", "q4"), False, "patch"),
        ("DELETE", paths.jobs("sales", "one"), False, "delete"),
    ],
)
def test_a_call_has_the_verb_that_a_role_would_name(method: str, path: str, watching: bool, verb: str) -> None:  # noqa: FBT001 - a row of the table
    assert paths.verb(method, paths.target(path), watching=watching) == verb
