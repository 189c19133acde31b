"""The notice board: what one collection finds out about Hunter and a key, the others know."""

from builders import TEMPLATE, at, result
from novahunt_api.domainresults import Result
from novahunt_api.objects import Key
from novahunt_contract.outcomes import Outcome, Reason
from novahunt_operator.ends import NO_ENDS, Elsewhere, Ends, ends_of, merge
from novahunt_operator.noticeboard import KeyReference, NoticeBoard

ONE, TWO, THREE = Key("sales", "one"), Key("sales", "two"), Key("research", "three")
HERE, THERE = KeyReference("sales", "hunter", "key"), KeyReference("research", "hunter", "key")
FINGERPRINT, OTHER = "ab" * 8, "cd" * 8


def end(reason: Reason, seconds: float = -5, domain: str = "a.example", **fields: object) -> Result:
    return result(domain, reason, **{"ended_at": at(seconds), "key": FINGERPRINT, **fields})


def ends(*results: Result, collection: Key = ONE) -> Ends:
    return ends_of(str(collection), results)


REFUSED = ends(end(Reason.KEY_REFUSED))


def test_a_board_that_was_told_nothing_knows_nothing() -> None:
    assert NoticeBoard().elsewhere(ONE, HERE) == Elsewhere()


def test_a_collection_that_has_run_nothing_yet_knows_what_others_found_out_about_its_secret() -> None:
    board = NoticeBoard()
    assert board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    assert board.elsewhere(TWO, HERE).same_key.failures[Reason.KEY_REFUSED][0].at == at(-5)
    # That another Secret holds the same key shows when it is used.
    assert board.elsewhere(THREE, THERE).same_key == NO_ENDS
    board.tell(THREE, THERE, TEMPLATE, ends(end(Reason.COLLECTED, -60), collection=THREE), 0)
    assert Reason.KEY_REFUSED in board.elsewhere(THREE, THERE).same_key.failures


def test_another_key_is_another_matter_and_hunter_the_same() -> None:
    board = NoticeBoard()
    away = [end(Reason.HUNTER_UNAVAILABLE, -5, name, outcome=Outcome.PENDING) for name in ("a.example", "b.example")]
    board.tell(ONE, HERE, TEMPLATE, ends(*away, end(Reason.KEY_REFUSED, -9, "c.example")), 0)
    board.tell(THREE, THERE, TEMPLATE, ends(end(Reason.COLLECTED, -60, key=OTHER), collection=THREE), 0)
    found = board.elsewhere(THREE, THERE)
    assert Reason.KEY_REFUSED not in found.same_key.failures
    assert len(found.everybody.failures[Reason.HUNTER_UNAVAILABLE]) == 2


def test_a_key_that_was_replaced_in_its_secret_is_known_by_the_newest_run() -> None:
    board = NoticeBoard()
    board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    board.tell(ONE, HERE, TEMPLATE, ends(end(Reason.COLLECTED, -1, key=OTHER)), 0)
    assert Reason.KEY_REFUSED not in board.elsewhere(TWO, HERE).same_key.failures


def test_a_run_under_other_wishes_says_nothing_of_the_secret_that_is_named_now() -> None:
    board = NoticeBoard()
    board.tell(ONE, HERE, "template-2", REFUSED, 0)
    assert board.elsewhere(TWO, HERE).same_key == NO_ENDS


def test_jobs_at_work_are_counted_by_key_and_in_all_but_ones_own() -> None:
    board = NoticeBoard()
    board.tell(ONE, HERE, TEMPLATE, REFUSED, 2)
    board.tell(TWO, HERE, TEMPLATE, ends(collection=TWO), 1)
    board.tell(THREE, THERE, TEMPLATE, ends(end(Reason.COLLECTED, -60, key=OTHER), collection=THREE), 4)
    assert live(board, ONE, HERE) == (1, 5)
    assert live(board, TWO, HERE) == (2, 6)
    assert live(board, THREE, THERE) == (0, 3)
    board.promise(TWO, 3)
    assert live(board, ONE, HERE) == (4, 8)
    board.forget(TWO)
    board.tell(THREE, THERE, TEMPLATE, ends(end(Reason.COLLECTED, -60, key=OTHER), collection=THREE), 0)
    assert live(board, ONE, HERE) == (0, 0)


def test_a_promise_is_replaced_by_what_is_told_next() -> None:
    board = NoticeBoard()
    board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    board.promise(ONE, 1)
    assert live(board, TWO, HERE) == (1, 1)
    board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    assert live(board, TWO, HERE) == (0, 0)


def test_only_news_make_the_waiting_look_again() -> None:
    board = NoticeBoard()
    board.wait(TWO, waits=True)
    assert board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    assert not board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    assert not board.tell(ONE, HERE, TEMPLATE, REFUSED, 3)
    assert board.tell(ONE, HERE, TEMPLATE, ends(end(Reason.COLLECTED, -1)), 0)
    assert board.waiting(but=ONE) == (TWO,)
    assert board.waiting(but=TWO) == ()
    board.wait(TWO, waits=False)
    assert board.waiting(but=ONE) == ()


def test_what_a_deleted_collection_found_out_stays_true() -> None:
    board = NoticeBoard()
    board.tell(ONE, HERE, TEMPLATE, REFUSED, 0)
    board.forget(ONE)
    assert Reason.KEY_REFUSED in board.elsewhere(TWO, HERE).same_key.failures


def test_of_a_domain_in_two_digests_the_newer_end_counts_whatever_the_order() -> None:
    old = ends(end(Reason.STORAGE, -9, outcome=Outcome.PENDING), end(Reason.STORAGE, -8, "b.example"))
    new = ends(end(Reason.STORAGE, -2, outcome=Outcome.PENDING))
    assert merge(old, new) == merge(new, old)
    assert [failure.at for failure in merge(old, new).failures[Reason.STORAGE]] == [at(-2)]


def live(board: NoticeBoard, collection: Key, reference: KeyReference) -> tuple[int, int]:
    found = board.elsewhere(collection, reference)
    return found.same_key_live, found.live
