"""Settings: what the environment may say, and what is said when it can't be used."""

import json
from pathlib import Path

import pytest

from novahunt_collector import settings
from novahunt_collector.errors import KeyRefusedError, UsageError
from novahunt_contract import environment as names
from novahunt_contract.searchhash import Search

KEY = {"HUNTER_API_KEY": "0123456789abcdef"}
INTAKE = {names.INTAKE_URL: "http://intake.sales.svc:8080", names.INTAKE_TOKEN_FILE: "/var/run/token"}


def test_a_key_is_all_that_is_needed() -> None:
    read = settings.read(KEY)
    assert read.hunter.base_url == "https://api.hunter.io/v2"
    assert (read.hunter.page_size, read.hunter.max_results) == (100, 5000)
    assert (read.pace.per_second, read.pace.per_minute) == (15, 500)
    assert (read.folder, read.folder_was_chosen) == (Path("data/collections"), False)
    assert (read.intake, read.not_before, read.collection, read.job_id, read.run) == (None, None, None, None, 1)
    assert read.search == Search()
    assert read.suppression == ()


def test_what_the_operator_passes_is_read() -> None:
    read = settings.read(
        {
            **KEY,
            **INTAKE,
            names.STORAGE: "intake",
            names.SEARCH: json.dumps({"type": "personal", "requiredFields": ["full_name"]}),
            names.NOT_BEFORE: "2026-11-21T12:00:00.000Z",
            names.RUN: "7",
            names.COLLECTION: "q4",
            names.JOB_ID: "collect-example.com-1",
            names.HUNTER_REQUESTS_PER_SECOND: "0.3",
            names.SUPPRESSION: '[{"name": "Secret do-not-contact, key list.txt", "path": "/suppression/0/list"}]',
        }
    )
    assert read.suppression == (settings.ListFile("Secret do-not-contact, key list.txt", "/suppression/0/list"),)
    assert read.intake == settings.Intake("http://intake.sales.svc:8080", Path("/var/run/token"))
    assert read.folder is None
    assert read.search == Search(type="personal", required_fields=("full_name",))
    assert read.not_before is not None
    assert (read.run, read.collection, read.job_id) == (7, "q4", "collect-example.com-1")
    assert read.pace.per_second == 0.3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (names.HUNTER_PAGE_SIZE, "0"),
        (names.HUNTER_PAGE_SIZE, "101"),
        (names.HUNTER_PAGE_SIZE, "ten"),
        (names.HUNTER_PAGE_SIZE, "1.5"),
        (names.HUNTER_MAX_COLLECT, "-1"),
        (names.HUNTER_REQUESTS_PER_SECOND, "nan"),
        (names.HUNTER_REQUESTS_PER_MINUTE, "inf"),
        (names.HUNTER_BASE_URL, "ftp://api.example/v2"),
        (names.HUNTER_BASE_URL, "file:///etc/passwd"),
        (names.HUNTER_BASE_URL, "https://user:word@api.example/v2"),
        (names.HUNTER_BASE_URL, "https://api.example/v2?api_key=x"),
        (names.HUNTER_BASE_URL, "https://api.example:99999/v2"),
        (names.HUNTER_BASE_URL, "https://"),
        (names.HUNTER_BASE_URL, "https://api.example/a b"),
        (names.RUN, "0"),
        (names.SEARCH, "{"),
        (names.SEARCH, '{"seniority": "senior"}'),
        (names.NOT_BEFORE, "yesterday"),
        (names.NOT_BEFORE, "2026-11-21T12:00:00"),
        (names.SUPPRESSION, "list.txt"),
        (names.SUPPRESSION, '["list.txt"]'),
        (names.STORAGE, "intake"),
        (names.INTAKE_URL, "http://intake:80"),
        (settings.BACKOFF_BASE_SECONDS, "0"),
        (settings.PATIENCE_SECONDS, "1e9"),
        (settings.MAX_FAILURES, "0"),
    ],
)
def test_what_can_not_be_used_is_named_with_a_remedy(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name) as raised:
        settings.read({**KEY, name: value})
    assert "word" not in str(raised.value)


def test_a_missing_key_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="HUNTER_API_KEY is not set"):
        settings.read({})


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nfeed", "schlüssel", "x" * 300])
def test_a_key_that_can_not_be_one_is_a_refused_key_and_is_not_repeated(key: str) -> None:
    with pytest.raises(KeyRefusedError) as raised:
        settings.read({"HUNTER_API_KEY": key})
    assert not key.strip() or key not in str(raised.value)


def test_the_line_feed_at_a_secrets_end_is_no_part_of_the_key() -> None:
    assert settings.read({"HUNTER_API_KEY": "abc\n"}).hunter.api_key == "abc"


def test_what_never_asks_hunter_needs_no_key_and_does_not_look_at_one() -> None:
    assert settings.read({}, needs_key=False).hunter.api_key == ""
    assert settings.read({"HUNTER_API_KEY": "no key at all"}, needs_key=False).hunter.api_key == ""
