"""How long to wait before the next try: exponential with full jitter, capped, and Retry-After to the letter."""

from collections.abc import Callable, Generator

from novahunt_collector.errors import RetryableError, TooFastError
from novahunt_collector.settings import Backoff

_MOST_DOUBLINGS = 32
"""Beyond this the cap decides; it only keeps the power finite."""


def waits(backoff: Backoff, uniform: Callable[[float, float], float]) -> Generator[float, RetryableError, None]:
    """Yield seconds to wait; is sent the error of each failed try, and ends where trying on is no use.

    The first value answers no error: a generator must be started before it can be sent one. Being
    throttled ends only with the total time (`Backoff.patience`, kept by the caller), failing after
    `Backoff.max_failures` tries; a Retry-After beyond the total time ends at once.

    Args:
        backoff: Base, cap and bounds.
        uniform: Returns a random number between its two arguments.
    """
    tries = failures = 0
    error = yield 0.0
    while True:
        tries += 1
        if not isinstance(error, TooFastError):
            failures += 1
            if failures >= backoff.max_failures:
                return
        if error.retry_after and error.retry_after > backoff.patience:
            return
        ceiling = min(backoff.cap, backoff.base * 2.0 ** min(tries - 1, _MOST_DOUBLINGS))
        # A Retry-After of 0 says nothing about how long: without a wait the tries would follow each other at once.
        error = yield error.retry_after or uniform(0.0, ceiling)
