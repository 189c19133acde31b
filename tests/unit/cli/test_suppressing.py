"""What `forget` decides: the entry's form, the list that is meant, and when a sweep has followed it."""

from typing import Any

import pytest

from novahunt_api import domaincollections
from novahunt_api.domaincollections import Collection
from novahunt_cli import suppressing
from novahunt_cli.suppressing import ListRef

SECRET = {"secretKeyRef": {"name": "dnc", "key": "list.txt"}}
CONFIG_MAP = {"configMapKeyRef": {"name": "partners", "key": "domains"}}


def collection(*lists: dict[str, Any], sweep: dict[str, Any] | None = None, **spec: Any) -> Collection:
    status = {"sweep": sweep} if sweep is not None else {}
    return domaincollections.read(
        {"metadata": {"name": "leads"}, "spec": {"suppressionFrom": lists, **spec}, "status": status}
    )


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (" Jane@Small.Example ", "jane@small.example"),
        ("@bücher.example", "@xn--bcher-kva.example"),
        ("https://www.small.example/x", "small.example"),
    ],
)
def test_an_entry_has_one_form(text: str, entry: str) -> None:
    assert suppressing.entry_of(text) == entry


@pytest.mark.parametrize("text", ["", "jane@", "ja ne@small.example", "ja#ne@a.example", "nothing", "*@a.example"])
def test_what_is_no_entry_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is|what stands") as refused:
        suppressing.entry_of(text)
    assert not text or text not in str(refused.value)


def test_an_entry_is_added_once_and_the_rest_stays() -> None:
    held = "# ours\nJane@small.example # asked"
    assert suppressing.added(held, "jane@small.example") is None
    assert suppressing.added(held, "small.example") == held + "\nsmall.example\n"
    assert suppressing.added("", "small.example") == "small.example\n"


def test_lists_are_named_by_kind_name_and_key() -> None:
    assert suppressing.parse_ref("secret/dnc") == ListRef("secret", "dnc", "list.txt")
    assert suppressing.parse_ref("ConfigMap/partners/domains").source() == CONFIG_MAP
    for wrong in ("dnc", "secret/", "pod/x"):
        with pytest.raises(ValueError, match="name a list as"):
            suppressing.parse_ref(wrong)


def test_the_default_is_what_all_name() -> None:
    both, one = collection(SECRET, CONFIG_MAP), collection(SECRET)
    ref = ListRef("secret", "dnc", "list.txt")
    assert suppressing.common_lists([both, one]) == (ref,)
    assert suppressing.common_lists([both, collection()]) == ()
    assert suppressing.common_lists([]) == ()
    assert suppressing.naming([both, collection()], ref) == (both,)


@pytest.mark.parametrize(
    ("sweep", "expected"),
    [
        (None, False),
        ({"at": "2026-11-24T12:00:05.000Z", "of": "old"}, False),
        ({"at": "2026-11-24T11:59:59.999Z", "of": "new"}, False),
        ({"at": "2026-11-24T12:00:00.000Z", "of": "new"}, True),
    ],
)
def test_only_a_sweep_for_the_new_state_that_began_later_counts(sweep: dict[str, Any] | None, expected: bool) -> None:  # noqa: FBT001
    assert suppressing.swept_since(collection(SECRET, sweep=sweep), "old", "2026-11-24T12:00:00Z") is expected


def test_the_report_says_how_many_and_where() -> None:
    sweep = {"at": "2026-11-24T12:00:00.000Z", "documents": 1, "emails": 2}
    storage = {"persistentVolumeClaim": {"claimName": "c"}}
    told = suppressing.report(collection(SECRET, sweep=sweep, storage=storage))
    assert told == "leads: 2 addresses removed from 1 document in ConfigMaps and on claim c, folder leads"
    assert suppressing.report(collection(SECRET)) == "leads: nothing of it was stored in ConfigMaps"
