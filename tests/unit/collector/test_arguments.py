"""The command line: domains in any form, options of every kind, and clear words for what is wrong."""

from pathlib import Path

import pytest

from novahunt_collector import arguments
from novahunt_collector.errors import UsageError
from novahunt_collector.options import Options
from novahunt_collector.output import Format


def test_domains_are_brought_to_one_form_and_merged() -> None:
    read = arguments.read(["https://www.Example.com/x", "example.com", "bücher.example"], {})
    assert read == arguments.Arguments(("example.com", "xn--bcher-kva.example"))
    assert not read.again


def test_the_environment_names_the_domain_of_a_job() -> None:
    read = arguments.read([], {"NOVAHUNT_DOMAIN": "example.com"})
    assert (read.domains, read.by_person) == (("example.com",), False)


def test_arguments_and_files_come_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("b.example\na.example\n")
    environ = {"NOVAHUNT_DOMAIN": "example.com"}
    assert arguments.read(["a.example"], environ).domains == ("a.example",)
    assert arguments.read(["-f", str(tmp_path / "list")], environ).domains == ("b.example", "a.example")
    both = arguments.read(["c.example", "--file", str(tmp_path / "list"), "b.example"], environ)
    assert both.domains == ("c.example", "b.example", "a.example")
    assert both.by_person


def test_every_option_is_read_wherever_it_stands() -> None:
    line = (
        "a.example --again --estimate --quiet --output csv --max-credits 0 --max-results 10 --page-size 20 "
        "--folder there --suppress one --suppress two --type generic --seniority junior,senior --seniority executive "
        "--department it,human_resources --required-field full_name --verification-status valid,accept_all b.example"
    )
    read = arguments.read(line.split(), {})
    assert read == arguments.Arguments(
        domains=("a.example", "b.example"),
        again=True,
        estimate=True,
        quiet=True,
        output=Format.CSV,
        options=Options(
            max_credits=0,
            max_results=10,
            page_size=20,
            folder=Path("there"),
            suppress=("one", "two"),
            type="generic",
            seniority=("junior", "senior", "executive"),
            department=("it", "human_resources"),
            required_fields=("full_name",),
            verification_status=("valid", "accept_all"),
        ),
    )


@pytest.mark.parametrize("entry", ["jane@example.com", "10.0.0.1", "localhost", "a..b"])
def test_an_entry_that_is_no_domain_is_named_by_its_place_and_not_repeated(entry: str) -> None:
    with pytest.raises(UsageError, match="argument 2 is no domain") as raised:
        arguments.read(["example.com", entry], {})
    assert entry not in str(raised.value)


def test_a_wrong_environment_is_named_as_such() -> None:
    with pytest.raises(UsageError, match="NOVAHUNT_DOMAIN is no domain"):
        arguments.read([], {"NOVAHUNT_DOMAIN": "localhost"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no domain is given"),
        (["--nonsense"], "--help"),
        (["--outp", "csv"], "--help"),
        (["--file"], "--file"),
        (["a.example", "--max-credits", "-1"], "--max-credits"),
        (["a.example", "--max-credits", "jane@example.com"], "whole number from 0 to"),
        (["a.example", "--max-results", "0"], "whole number from 1 to"),
        (["a.example", "--max-results", "9" * 5000], "whole number from 1 to"),
        (["a.example", "--page-size", "101"], "whole number from 1 to 100"),
        (["a.example", "--page-size", "१०"], "whole number from 1 to 100"),
        (["a.example", "--output", "xml"], "--output"),
        (["a.example", "--type", "both"], "--type"),
        (["a.example", "--seniority", ""], "words, separated by commas"),
        (["a.example", "--department", "it,,hr"], "words, separated by commas"),
        (["a.example", "--department", "x" * 65], "words, separated by commas"),
    ],
)
def test_a_wrong_call_says_what_to_do(given: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        arguments.read(given, {})
    assert "jane" not in str(raised.value)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["a.example", "--suppres=jane@example.com", "--api-key=5ec3e7"], "no such option: --suppres, --api-key: see"),
        (["a.example", "--jane@example.com"], "no such option: one that looks like none: see"),
        (["a.example", "--5ec3e7"], "no such option: one that looks like none: see"),
        (["a.example", "-kjane@example.com"], "no such option: -k: see"),
        (["a.example", "--type", "jane@example.com"], "argument --type: invalid choice: see"),
        (["a.example", "--type=jane's@example.com"], "argument --type: invalid choice: see"),
        (["a.example", "--output", "jane@example.com"], "argument --output: invalid Format value: see"),
        (["a.example", "--quiet=jane@example.com"], "argument --quiet/-q: ignored explicit argument: see"),
    ],
)
def test_what_a_wrong_option_was_given_is_not_repeated(given: list[str], words: str) -> None:
    with pytest.raises(UsageError) as raised:
        arguments.read(given, {})
    assert str(raised.value).startswith(words)
    assert "jane" not in str(raised.value)
    assert "5ec3e7" not in str(raised.value)


def test_a_list_without_domains_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# nothing yet\n\n")
    with pytest.raises(UsageError, match="the files name no domain"):
        arguments.read(["-f", str(tmp_path / "list")], {"NOVAHUNT_DOMAIN": "example.com"})


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_help_names_all_that_a_person_needs_and_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as ended:
        arguments.read(["--help"], {})
    text = capsys.readouterr().out
    assert ended.value.code == 0
    names = (
        "DOMAIN --file --again --estimate --output --quiet --folder --suppress --version --help --max-credits "
        "--max-results --page-size --type --seniority --department --required-field --verification-status "
        "HUNTER_API_KEY HUNTER_MAX_COLLECT NO_COLOR data/collections exit"
    )
    for name in names.split():
        assert name in text
    assert "13 --max-credits used up" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_filter_may_hold_blanks() -> None:
    assert arguments.read(["a.example", "--department", "it, human resources"], {}).options.department == (
        "it",
        "human resources",
    )


def test_suppression_lists_may_be_given_several_times() -> None:
    read = arguments.read(["a.example", "--suppress", "one.txt", "--suppress", "other, too.txt"], {})
    assert read.options == Options(suppress=("one.txt", "other, too.txt"))


def test_a_sweep_takes_lists_an_age_and_a_folder_and_no_domain() -> None:
    line = ["--sweep", "--suppress", "list.txt", "--older-than", "180", "--folder", "there"]
    read = arguments.read(line, {"NOVAHUNT_DOMAIN": "example.com"})
    options = Options(suppress=("list.txt",), folder=Path("there"))
    assert read == arguments.Arguments((), sweep=True, older_than=180, options=options)
    assert arguments.read(["--sweep"], {"NOVAHUNT_SUPPRESSION": "[]"}).sweep


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--sweep"], "nothing to go by: add --suppress FILE or --older-than DAYS"),
        (["--sweep", "--suppress", "list.txt", "example.com"], "name no domain"),
        (["--sweep", "--suppress", "list.txt", "-f", "leads.txt"], "name no domain"),
        (["--older-than", "9", "example.com"], "add --sweep"),
        (["--sweep", "--older-than", "-1"], "--older-than"),
        (["--sweep", "--older-than", "soon"], "it must be a whole number from 0 to 36500"),
    ],
)
def test_a_sweep_without_anything_to_go_by_or_with_domains_is_a_wrong_call(line: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        arguments.read(line, {})
