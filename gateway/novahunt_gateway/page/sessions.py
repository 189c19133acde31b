"""A person's session: a sealed cookie that holds the token, and what binds forms to it."""

import hmac
import secrets
from collections.abc import Sequence

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

IDLE_SECONDS = 3600
"""A session ends that long after the last page that its person opened; live updates don't prolong it."""
LONGEST_SECONDS = 12 * 3600
"""After that a person logs in again, whatever they did."""
MAX_TOKEN = 2600
"""Characters; sealed it must fit into a cookie, of which browsers keep 4,096 bytes."""


class Session(msgspec.Struct, frozen=True):
    """What the cookie holds; before the login there is no token."""

    csrf: str
    """In every form of this session."""
    began: int
    """Seconds since 1970-01-01."""
    token: str | None = None


def begin(now: int, token: str | None = None) -> Session:
    """Return a new session; logging in always begins one, so that nobody can prepare it for another."""
    return Session(csrf=secrets.token_urlsafe(24), began=now, token=token)


class Seal:
    """Encrypts and signs sessions; with several keys the first seals and all open, so that keys can be changed."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """Take Fernet keys, which all replicas share; none: a random one, and a restart logs everybody out."""
        self._fernet = MultiFernet([Fernet(key) for key in keys or (Fernet.generate_key(),)])

    def close(self, session: Session, now: int) -> str:
        """Return the cookie's value."""
        return self._fernet.encrypt_at_time(msgspec.json.encode(session), now).decode()

    def open(self, value: str | None, now: int) -> Session | None:
        """Return the session that a cookie holds; None: there is none, it is too old, or somebody made it up."""
        if not value:
            return None
        try:
            session = msgspec.json.decode(self._fernet.decrypt_at_time(value.encode(), IDLE_SECONDS, now), type=Session)
        except (InvalidToken, msgspec.DecodeError, UnicodeEncodeError):
            return None
        return session if now - session.began < LONGEST_SECONDS else None


def is_of(session: Session, given: str) -> bool:
    """Say whether a form's field is this session's, in constant time."""
    # Half a character is text to Python, and is nobody's field.
    return hmac.compare_digest(session.csrf.encode(), given.encode(errors="surrogatepass"))


def from_here(site: str | None, origin: str | None, host: str | None) -> bool:
    """Say whether a post comes from a page of ours, by its `Sec-Fetch-Site`, `Origin` and `Host`.

    Old browsers send neither of the first two; the form's field has to do for them.
    """
    if site is not None and site != "same-origin":
        return False
    # The scheme may be another before a proxy that ends TLS.
    return origin is None or (host is not None and origin.partition("://")[2] == host)
