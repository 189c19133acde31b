"""`python -m novahunt_collector`, and the command `novahunt-collector`."""

import os
import signal
import sys

from novahunt_contract.exitcodes import ExitCode


def run() -> None:
    """Run the collector with the process's arguments and environment, and end with its exit code."""
    # The first process of a container never hears a signal that it has no handler for, and importing takes a while.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(ExitCode.INTERRUPTED))
    from novahunt_collector.output import let_go_of_standard_output
    from novahunt_collector.program import main

    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except KeyboardInterrupt:
        # The loop is closed and has said how it ended; a person who is in a hurry needs no traceback.
        os._exit(ExitCode.INTERRUPTED)
    finally:
        let_go_of_standard_output()


if __name__ == "__main__":
    run()
