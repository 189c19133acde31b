"""Conditions: a transition time changes only when the status does, and what is over is gone."""

from novahunt_api.conditions import MAX_MESSAGE, ConditionType, Finding, find, merge

READY, WAITING = ConditionType.READY, ConditionType.WAITING


def finding(
    kind: ConditionType = READY, *, status: bool = False, reason: str = "InProgress", text: str = ""
) -> Finding:
    return Finding(kind, status, reason, text)


def test_a_new_condition_dates_from_now_and_a_kept_one_from_its_change() -> None:
    first = merge((), [finding()], 1, "t1")
    same = merge(first, [finding(reason="Suspended", text="other words")], 2, "t2")
    turned = merge(same, [finding(status=True)], 2, "t3")
    assert [one[0].last_transition_time for one in (first, same, turned)] == ["t1", "t1", "t3"]
    assert (same[0].reason, same[0].message, same[0].observed_generation) == ("Suspended", "other words", 2)
    assert turned[0].status == "True"


def test_a_condition_that_is_not_found_any_more_is_gone_and_dates_anew_when_it_returns() -> None:
    both = merge((), [finding(), finding(WAITING, status=True)], 1, "t1")
    without = merge(both, [finding()], 1, "t2")
    assert [one.type for one in without] == ["Ready"]
    back = merge(without, [finding(), finding(WAITING, status=True)], 1, "t3")
    assert back[1].last_transition_time == "t3"


def test_a_long_message_is_cut() -> None:
    (cut,) = merge((), [finding(text="x" * 5000)], 1, "t1")
    assert len(cut.message) == MAX_MESSAGE


def test_a_condition_without_a_time_gets_one() -> None:
    (old,) = merge((), [finding()], 1, "")
    assert merge((old,), [finding()], 1, "t2")[0].last_transition_time == "t2"


def test_a_condition_is_found_by_its_type() -> None:
    conditions = merge((), [finding()], 1, "t1")
    assert find(conditions, READY) == conditions[0]
    assert find(conditions, WAITING) is None
