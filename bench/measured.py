"""Runs a program and prints what it used, as JSON; small itself, for a child's peak memory begins with its parent's.

`measured.py PROGRAM …` lets it end. `measured.py --until-request PROGRAM …` listens in Hunter's place, and kills it
when its first request has arrived.
"""

import json
import os
import socket
import subprocess
import sys
import time


def main(arguments: list[str]) -> None:
    """Run it and print seconds of processor time and of the clock, KiB of peak memory, and the exit code."""
    until_request = arguments[0] == "--until-request"
    program = arguments[until_request:]
    environment = dict(os.environ)
    listening = socket.create_server(("127.0.0.1", 0)) if until_request else None
    if listening is not None:
        listening.settimeout(60)
        environment["HUNTER_BASE_URL"] = f"http://127.0.0.1:{listening.getsockname()[1]}/v2"
    begun = time.monotonic()
    process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - what is measured
    if listening is not None:
        connection, _ = listening.accept()
        connection.settimeout(60)
        connection.recv(1)
        process.kill()
    _, status, usage = os.wait4(process.pid, 0)
    result = {
        "cpu": usage.ru_utime + usage.ru_stime,
        "seconds": time.monotonic() - begun,
        "peak_kib": usage.ru_maxrss,
        "code": os.waitstatus_to_exitcode(status),
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
