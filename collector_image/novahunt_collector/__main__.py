"""`python -m novahunt_collector`, and the command `novahunt-collector`."""

import os
import signal
import sys

from novahunt_contract.exitcodes import ExitCode


def run() -> None:
    """Run the collector with the process's arguments and environment, and end with its exit code."""
    # The first process of a container never hears a signal that it has no handler for, and importing takes a while.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(ExitCode.INTERRUPTED))
    from novahunt_collector.program import main

    sys.exit(main(sys.argv[1:], os.environ))


if __name__ == "__main__":
    run()
