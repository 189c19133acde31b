"""What a person sees on a terminal: bars while it works, a line for each domain, a sum, and never anything garbled."""

import sys
from pathlib import Path

import pytest

from contract.collector.running import DOMAIN, environ, run_process, stored
from contract.collector.terminal import on_terminal
from hunter_simulator import AnswerStatus, Fault, Proceed, Simulator
from novahunt_contract.exitcodes import ExitCode

NOT_ENCRYPTED = "warning: HUNTER_BASE_URL is no https:// URL: the key travels unencrypted"
"""All that a terminal shows of the simulator's address."""


def hold(simulator: Simulator, domain: str, offset: int | None = None) -> None:
    """Let Hunter never answer this."""
    simulator.add_fault(Fault(action=Proceed(), domain=domain, offset=offset, delay=60, times=None))


async def test_bars_show_the_domain_in_hand_and_all_of_them(simulator: Simulator, tmp_path: Path) -> None:
    simulator.set_domain(DOMAIN, 400)
    hold(simulator, DOMAIN, offset=300)
    arguments = ["n25.example", DOMAIN, "n9.example", "n8.example"]
    async with on_terminal(arguments, environ(simulator, tmp_path / "c"), tmp_path) as terminal:
        await terminal.shows("3 requests, 300 addresses, 30 credits")
        *above, in_hand, everything = terminal.screen.text.rstrip().splitlines()
        assert above == [NOT_ENCRYPTED, "✓ n25.example           25 addresses      3 credits"]
        assert in_hand.startswith("  example.com ")
        assert " 75 % " in in_hand
        assert everything.startswith("  all 4 ")
        # One domain of four, and three quarters of the next.
        assert " 44 % " in everything
        assert "325 addresses, 33 credits" in everything
        assert everything.index("%") == in_hand.index("%")
        assert terminal.screen.cursor_is_hidden


async def test_at_the_end_the_bars_are_gone_and_every_domain_has_its_line(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=400, error_id="invalid_domain"), domain="n7.example"))
    environment = environ(simulator, tmp_path / "c", HUNTER_MAX_COLLECT="1200")
    await run_process(["n9.example"], environment, tmp_path)
    arguments = ["n1.example", "n7.example", "unknown.example", "n1999.example", "n9.example"]
    async with on_terminal(arguments, environment, tmp_path) as terminal:
        assert (await terminal.end())[0] == ExitCode.DOMAIN_REFUSED
        assert terminal.screen.text.rstrip().splitlines() == [
            NOT_ENCRYPTED,
            "✓ n1.example             1 address        1 credit",
            "✗ n7.example        no such domain, or its owner asked Hunter to stop (HTTP 400, invalid_domain)",
            "– unknown.example   nothing published",
            # As long as it is, it wraps.
            "✓ n1999.example      1,200 addresses    120 credits  of 1,999: stopped at 1200 addresses, as HUNTER_",
            "MAX_COLLECT or maxResults says",
            "✓ n9.example             9 addresses  from storage",
            "5 domains: 2 collected, 1 empty, 1 truncated, 1 failed; 1,210 addresses, 121 credits",
        ]
        assert not terminal.screen.cursor_is_hidden


async def test_a_single_domain_has_a_single_bar(simulator: Simulator, tmp_path: Path) -> None:
    simulator.set_domain(DOMAIN, 400)
    hold(simulator, DOMAIN, offset=100)
    async with on_terminal([DOMAIN], environ(simulator, tmp_path / "c"), tmp_path) as terminal:
        await terminal.shows("1 request, 100 addresses, 10 credits")
        assert "all" not in terminal.screen.text


async def test_a_wait_is_told_in_its_own_line_as_long_as_it_lasts(simulator: Simulator, tmp_path: Path) -> None:
    simulator.add_fault(Fault(action=AnswerStatus(status=403, retry_after=2), domain=DOMAIN))
    async with on_terminal([DOMAIN, "n3.example"], environ(simulator, tmp_path / "c"), tmp_path) as terminal:
        await terminal.shows("Hunter asks to slow down", "; next try in 1 s")
        assert (await terminal.end())[0] == ExitCode.DONE
        assert "slow down" not in terminal.screen.text


async def test_waiting_for_the_pace_is_told_as_well(simulator: Simulator, tmp_path: Path) -> None:
    environment = environ(simulator, tmp_path / "c", HUNTER_REQUESTS_PER_SECOND="0.1")
    async with on_terminal(["n2.example", "n3.example"], environment, tmp_path) as terminal:
        await terminal.shows("✓ n2.example", "waiting for its turn: the key's pace is used")


async def test_ctrl_c_gives_the_terminal_back_and_says_how_it_goes_on(simulator: Simulator, tmp_path: Path) -> None:
    hold(simulator, DOMAIN)
    arguments = ["n2.example", DOMAIN, "n3.example"]
    async with on_terminal(arguments, environ(simulator, tmp_path / "c"), tmp_path) as terminal:
        await terminal.shows("  example.com ", "✓ n2.example")
        terminal.press_ctrl_c()
        assert (await terminal.end())[0] == ExitCode.INTERRUPTED
        assert [line for line in terminal.screen.text.rstrip().splitlines() if line != "^C"][1:] == [
            "✓ n2.example             2 addresses      1 credit",
            "– example.com       stopped by a signal before the domain was finished",
            "Stopped. The same command continues where it stopped.",
            "3 domains: 1 collected, 1 stopped, 1 not tried; 2 addresses, 11 credits",
        ]
        assert not terminal.screen.cursor_is_hidden
        assert stored(tmp_path / "c", "n2.example") is not None


async def test_what_goes_to_standard_output_on_the_same_terminal_stays_whole(
    simulator: Simulator, tmp_path: Path
) -> None:
    simulator.set_domain(DOMAIN, 230)
    arguments = [DOMAIN, "n2.example", "n3.example", "--output", "csv"]
    async with on_terminal(arguments, environ(simulator, tmp_path / "c"), tmp_path, output=True) as terminal:
        assert (await terminal.end())[0] == ExitCode.DONE
        shown = "".join(line.ljust(1) for line in terminal.screen.text.split("\n"))
    plain = await run_process(arguments, environ(simulator, tmp_path / "c"), tmp_path)
    for line in plain.output.decode().splitlines():
        assert line in shown


async def test_an_estimate_has_one_bar_and_ends_with_its_table(simulator: Simulator, tmp_path: Path) -> None:
    hold(simulator, "n9.example")
    domains = ["n25.example", "n3.example", "n9.example"]
    async with on_terminal(["--estimate", *domains], environ(simulator, tmp_path / "c"), tmp_path) as terminal:
        await terminal.shows("  3 domains ", " 66 % ", "2 requests, 28 addresses")
        terminal.press_ctrl_c()
        code, output = await terminal.end()
    assert code == ExitCode.INTERRUPTED
    assert output.decode().splitlines()[1:] == [
        "n25.example         25          25        3",
        "n3.example           3           3        1",
        "all                 28          28        4",
    ]


async def test_without_colour_there_is_none(simulator: Simulator, tmp_path: Path) -> None:
    environment = environ(simulator, tmp_path / "c", NO_COLOR="1")
    async with on_terminal([DOMAIN, "n3.example"], environment, tmp_path) as terminal:
        await terminal.end()
        assert "✓ example.com" in terminal.screen.text
        assert b"\x1b[3" not in terminal.screen.raw
        assert b"\x1b[9" not in terminal.screen.raw


@pytest.mark.parametrize(
    ("arguments", "more"), [(["--quiet"], {}), ([], {"TERM": "dumb"}), ([], {"NOVAHUNT_LOG_FORMAT": "json"})]
)
async def test_bars_can_be_left_out(
    simulator: Simulator, tmp_path: Path, arguments: list[str], more: dict[str, str]
) -> None:
    environment = environ(simulator, tmp_path / "c", **more)
    async with on_terminal([DOMAIN, *arguments], environment, tmp_path) as terminal:
        assert (await terminal.end())[0] == ExitCode.DONE
        assert b"\x1b" not in terminal.screen.raw
        quiet = [NOT_ENCRYPTED]
        assert (terminal.screen.text.rstrip().splitlines() == quiet) is bool(arguments)


async def test_without_rich_a_terminal_gets_plain_lines(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise ImportError('not installed')")
    environment = environ(simulator, tmp_path / "c")
    environment["PYTHONPATH"] = ":".join([str(tmp_path), *sys.path])
    async with on_terminal([DOMAIN], environment, tmp_path) as terminal:
        assert (await terminal.end())[0] == ExitCode.DONE
        assert b"\x1b" not in terminal.screen.raw
        assert "[CollectionWorker] Successfully completed job" in terminal.screen.text
        assert "1 domain: 1 collected; 25 addresses, 3 credits" in terminal.screen.text


async def test_a_wrong_call_is_told_in_plain_words(simulator: Simulator, tmp_path: Path) -> None:
    async with on_terminal(["foo"], environ(simulator, tmp_path / "c"), tmp_path) as terminal:
        assert (await terminal.end())[0] == ExitCode.USAGE
        assert terminal.screen.text.startswith("error: argument 1 is no domain: it is a single label")
