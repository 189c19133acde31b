"""The command line: domains in any form, and clear words for what is none."""

import pytest

from novahunt_collector import arguments
from novahunt_collector.errors import UsageError


def test_domains_are_brought_to_one_form_and_merged() -> None:
    read = arguments.read(["https://www.Example.com/x", "example.com", "bücher.example"], {})
    assert read == arguments.Arguments(("example.com", "xn--bcher-kva.example"), again=False)


def test_the_environment_names_the_domain_of_a_job() -> None:
    assert arguments.read([], {"NOVAHUNT_DOMAIN": "example.com"}).domains == ("example.com",)


def test_arguments_come_before_the_environment() -> None:
    assert arguments.read(["a.example"], {"NOVAHUNT_DOMAIN": "example.com"}).domains == ("a.example",)


def test_again_is_an_option() -> None:
    assert arguments.read(["--again", "a.example"], {}).again


@pytest.mark.parametrize("entry", ["jane@example.com", "10.0.0.1", "localhost", "a..b"])
def test_an_entry_that_is_no_domain_is_named_by_its_place_and_not_repeated(entry: str) -> None:
    with pytest.raises(UsageError, match="argument 2 is no domain") as raised:
        arguments.read(["example.com", entry], {})
    assert entry not in str(raised.value)


def test_a_wrong_environment_is_named_as_such() -> None:
    with pytest.raises(UsageError, match="NOVAHUNT_DOMAIN is no domain"):
        arguments.read([], {"NOVAHUNT_DOMAIN": "localhost"})


@pytest.mark.parametrize(("given", "words"), [([], "no domain is given"), (["--nonsense"], "--help")])
def test_a_wrong_call_says_what_to_do(given: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        arguments.read(given, {})


def test_help_names_every_setting_that_a_person_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.read(["--help"], {})
    text = capsys.readouterr().out
    assert ended.value.code == 0
    for name in ("DOMAIN", "--again", "HUNTER_API_KEY", "HUNTER_MAX_COLLECT", "data/collections", "exit codes"):
        assert name in text
