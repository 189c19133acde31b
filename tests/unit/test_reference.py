"""The kinds' fields: the page that lists them is up to date, and none is lost or changed for those who use it."""

from tools import reference


def test_the_reference_is_what_the_kinds_say() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.page(), "run `make reference`"


def test_no_field_is_removed_and_none_changes_its_type() -> None:
    there = {field.line for field in reference.fields()}
    lost = sorted(set(reference.recorded()) - there)
    assert not lost, f"whoever uses these is broken by it: give the kind a new version, or take the lines out: {lost}"


def test_every_field_is_recorded() -> None:
    new = sorted({field.line for field in reference.fields()} - set(reference.recorded()))
    assert not new, f"run `make reference`: {new}"


def test_every_field_says_what_it_means() -> None:
    assert [field.path for field in reference.fields() if not field.description] == []


def test_lists_and_maps_are_told_by_what_they_hold() -> None:
    kinds = {(field.kind, field.path): field.type for field in reference.fields()}
    assert kinds["DomainCollection", "spec.domains"] == "[]string"
    assert kinds["DomainCollection", "spec.jobTemplate.labels"] == "map[string]string"
    assert ("DomainCollection", "spec.domainsFrom[].configMapKeyRef.name") in kinds
