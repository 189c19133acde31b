"""Tells, and waits, before each file of interest is renamed, removed or opened.

Python loads it at its start where this folder is on its path, so a collector runs as it is. Whoever listens at the
socket that the environment names can kill the process, or anything else, while it waits.
"""

import os
import socket
import threading

_SOCKET = os.environ.get("NOVAHUNT_CHAOS_SOCKET", "")
_DOMAIN = os.environ.get("NOVAHUNT_DOMAIN", "")
_RECEIPT = os.environ.get("NOVAHUNT_TERMINATION_LOG", "")
_telling = threading.local()


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "os.rename":
        path = str(arguments[1])
    elif event in {"os.remove", "open"}:
        path = str(arguments[0])
    else:
        return
    of_interest = path == _RECEIPT if event == "open" else path.endswith((".json", ".checkpoint"))
    if not of_interest or getattr(_telling, "now", False):
        return
    _telling.now = True
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(_SOCKET)
            line.sendall(f"{event}\t{_DOMAIN}\t{path}\n".encode())
            line.recv(1)
    except OSError:
        # Nobody listens any more: the test is over.
        pass
    finally:
        _telling.now = False


if _SOCKET and _DOMAIN:
    import sys

    sys.addaudithook(_hear)
