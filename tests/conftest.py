"""How hypothesis searches: briefly and each time alike by default, at random and for long with `make histories`."""

import os
import signal

from hypothesis import HealthCheck, settings

# The first example of a run also pays for imports, on machines that are busy with other tests.
_COMMON = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], database=None)

# What lands must pass again: a new fault is looked for by the long search, not by whoever lands something else.
settings.register_profile("short", _COMMON, max_examples=50, derandomize=True)
settings.register_profile("long", _COMMON, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# asyncio's debug mode would make every timing test say something about itself.
os.environ.pop("PYTHONASYNCIODEBUG", None)

# A shell starts what it runs in the background with SIGINT ignored, and the processes that tests start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
