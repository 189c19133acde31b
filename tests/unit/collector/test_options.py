"""Options of the command line take the place of the environment's settings, each by itself."""

import json
from pathlib import Path

from novahunt_collector import settings
from novahunt_collector.options import Options
from novahunt_contract import environment as names
from novahunt_contract.searchhash import Search

ENVIRON = {
    names.HUNTER_API_KEY: "k",
    names.HUNTER_MAX_COLLECT: "70",
    names.HUNTER_PAGE_SIZE: "30",
    names.STORAGE: "/from/environment",
    names.SEARCH: json.dumps({"type": "personal", "seniority": ["senior"], "department": ["it"]}),
}


def test_what_is_not_given_leaves_every_setting_as_it_is() -> None:
    read = settings.read(ENVIRON)
    assert Options().applied(read) == read


def test_numbers_and_folder_win_over_the_environment() -> None:
    options = Options(max_results=7, page_size=10, max_credits=0, folder=Path("/from/option"))
    applied = options.applied(settings.read(ENVIRON))
    assert (applied.hunter.max_results, applied.hunter.page_size, applied.max_credits) == (7, 10, 0)
    assert applied.folder == Path("/from/option")


def test_a_folder_that_was_named_is_a_chosen_one() -> None:
    read = settings.read({names.HUNTER_API_KEY: "k"})
    assert not read.folder_was_chosen
    assert Options(folder=Path("data/collections")).applied(read).folder_was_chosen


def test_a_filter_takes_the_place_of_its_namesake_alone() -> None:
    applied = Options(seniority=("junior", "executive"), required_fields=("position",)).applied(settings.read(ENVIRON))
    assert applied.search == Search(
        type="personal", seniority=("junior", "executive"), department=("it",), required_fields=("position",)
    )
    other = Options(type="generic", department=("sales",), verification_status=("valid",))
    assert other.applied(settings.read(ENVIRON)).search == Search(
        type="generic", seniority=("senior",), department=("sales",), verification_status=("valid",)
    )


def test_suppression_lists_of_options_join_those_of_the_environment() -> None:
    environ = {**ENVIRON, names.SUPPRESSION: '[{"name": "ours", "path": "/lists/ours"}]'}
    applied = Options(suppress=("do-not-contact",)).applied(settings.read(environ))
    assert applied.suppression == (
        settings.ListFile("ours", "/lists/ours"),
        settings.ListFile("do-not-contact", "do-not-contact"),
    )
