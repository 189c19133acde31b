"""How hypothesis searches: briefly by default, for long with HYPOTHESIS_PROFILE=long."""

import os
import signal

from hypothesis import HealthCheck, settings

# The first example of a run also pays for imports, on machines that are busy with other tests.
_COMMON = settings(
    derandomize=False, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], database=None
)

settings.register_profile("short", _COMMON, max_examples=50)
settings.register_profile("long", _COMMON, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# asyncio's debug mode would make every timing test say something about itself.
os.environ.pop("PYTHONASYNCIODEBUG", None)

# A shell starts what it runs in the background with SIGINT ignored, and the processes that tests start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
