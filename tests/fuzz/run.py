"""Searches one target, guided by what each input reaches: `python -m fuzz.run TARGET [options of libFuzzer]`.

`make fuzz` starts it, with atheris from a lock file of its own.
"""

import sys

import atheris

with atheris.instrument_imports(
    include=["novahunt_collector", "novahunt_contract", "json", "email", "idna", "urllib", "ipaddress"]
):
    from fuzz.targets import TARGETS


def main() -> None:
    """Search until libFuzzer's options end it; a defect ends the process with its traceback."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
