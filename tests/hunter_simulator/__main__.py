"""The command line: `python -m hunter_simulator`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import msgspec

from hunter_simulator.domains import Domain, canonical
from hunter_simulator.people import MAX_SIZE
from hunter_simulator.running import running_simulator
from hunter_simulator.settings import Config, read_config


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        config = _config(options.config, options.domain)
        asyncio.run(_serve(config, options.host, options.port))
    except (OSError, msgspec.DecodeError, ValueError) as error:
        logging.getLogger("hunter_simulator").error("hunter_simulator: %s", error)  # noqa: TRY400 - the user's mistake
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hunter_simulator", description="A stand-in for Hunter (hunter.io).")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0: a free one (%(default)s)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings, keys, domains, faults; YAML or JSON")
    parser.add_argument(
        "--domain",
        action="append",
        default=[],
        type=_sized_domain,
        metavar="NAME=SIZE",
        help="a domain with that many addresses; can be repeated",
    )
    return parser


def _sized_domain(text: str) -> tuple[str, int]:
    name, _, size = text.partition("=")
    if canonical(name) is None or not size.isdecimal() or int(size) > MAX_SIZE:
        raise argparse.ArgumentTypeError(f"expected a domain, = and 0 to {MAX_SIZE}")
    return name, int(size)


def _config(path: Path | None, sized: list[tuple[str, int]]) -> Config:
    config = Config() if path is None else read_config(path)
    domains = config.domains | {name: Domain(size=size) for name, size in sized}
    return msgspec.structs.replace(config, domains=domains)


async def _serve(config: Config, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with running_simulator(config, host=host, port=port) as simulator:
        logging.getLogger("hunter_simulator").info("hunter_simulator listens at %s", simulator.base_url)
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
