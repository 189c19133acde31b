"""Sessions: sealed, short, and what binds forms to them."""

import pytest
from cryptography.fernet import Fernet

from novahunt_gateway.page import sessions
from novahunt_gateway.page.sessions import IDLE_SECONDS, LONGEST_SECONDS, MAX_TOKEN, Seal

NOW = 1_800_000_000


def test_a_session_opens_again_and_does_not_show_its_token() -> None:
    seal, session = Seal(), sessions.begin(NOW, "secret-token")
    value = seal.close(session, NOW)
    assert "secret-token" not in value
    assert seal.open(value, NOW + 10) == session


def test_an_idle_or_old_session_is_closed() -> None:
    seal, session = Seal(), sessions.begin(NOW, "t")
    assert seal.open(seal.close(session, NOW), NOW + IDLE_SECONDS + 1) is None
    late = NOW + LONGEST_SECONDS
    assert seal.open(seal.close(session, late), late) is None


@pytest.mark.parametrize("value", [None, "", "x", "ü", "gAAAAA" + "A" * 100])
def test_what_somebody_made_up_opens_nothing(value: str | None) -> None:
    assert Seal().open(value, NOW) is None


def test_replicas_with_the_same_keys_agree_and_keys_can_be_changed() -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    value = Seal([old]).close(sessions.begin(NOW, "t"), NOW)
    assert Seal([new, old]).open(value, NOW) is not None
    assert Seal([new]).open(value, NOW) is None


def test_the_longest_token_fits_into_a_cookie() -> None:
    assert len(Seal().close(sessions.begin(NOW, "x" * MAX_TOKEN), NOW)) < 4096 - 300


def test_a_form_belongs_to_one_session() -> None:
    one, other = sessions.begin(NOW), sessions.begin(NOW)
    assert sessions.is_of(one, one.csrf)
    assert not sessions.is_of(one, other.csrf)
    assert not sessions.is_of(one, "ü")
    assert not sessions.is_of(one, "\ud800"), "half a character, which UTF-8 can't say"


@pytest.mark.parametrize(
    ("site", "origin", "expected"),
    [
        ("same-origin", "https://here.example", True),
        (None, None, True),
        (None, "https://here.example", True),
        ("cross-site", None, False),
        ("same-site", "https://here.example", False),
        (None, "https://elsewhere.example", False),
        ("same-origin", "null", False),
    ],
)
def test_a_post_must_come_from_here(site: str | None, origin: str | None, expected: bool) -> None:  # noqa: FBT001
    assert sessions.from_here(site, origin, "here.example") is expected
