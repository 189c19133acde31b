"""The chart's README: up to date, and no value is without a word."""

from tools import chart_readme


def test_the_readme_is_what_the_values_say() -> None:
    assert chart_readme.PAGE.read_text("utf-8") == chart_readme.page(), "run `make chart-readme`"


def test_every_value_says_what_it_does() -> None:
    assert chart_readme.undocumented() == []


def test_groups_values_in_groups_and_lists_are_told_apart() -> None:
    found = {one.path: one for one in chart_readme.values()}
    assert found["worker.concurrency"].default == 2
    assert found["worker.concurrency"].text.startswith("Jobs at once")
    assert "worker" not in found
    assert found["podSecurityContext"].default == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert not [path for path in found if "namespaceSelector" in path]
    assert len(found) > 150
