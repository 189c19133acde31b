"""What the pages tell people to type, set or look at is there: commands, values, fields, tests and units."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import recorded_states
from novahunt_api import domaincollections, names
from novahunt_cli.__main__ import novahunt
from novahunt_collector import arguments
from novahunt_collector.freshness import is_fresh
from novahunt_contract import document, searchhash
from tools.shell import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
UNITS = ROOT / "examples/systemd"
VALUES = yaml.safe_load((ROOT / "charts/novahunt/values.yaml").read_text("utf-8"))
_FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_FILES = ("leads.csv", "leads.txt", "domains.txt", "do-not-contact.txt", "list.txt")
"""Lists that the commands on the pages read."""


def fences(language: str) -> Iterator[str]:
    for page in PAGES:
        for found, text in _FENCE.findall(page.read_text("utf-8")):
            if found == language:
                yield text


def commands(program: str) -> list[list[str]]:
    """Return the words of each command of a program, without what the shell does with its output."""
    found: list[list[str]] = []
    for text in fences("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            if line.strip().startswith(f"{program} "):
                call = re.split(r"[|>]|&&", re.sub(r"<[^>]*>", "SOMETHING", line))[0]
                found.append(shlex.split(call, comments=True)[1:])
    return found


def collections() -> Iterator[dict[str, Any]]:
    heredocs = [part for text in fences("sh") for part in re.findall(r"<<EOF\n(.*?)EOF", text, re.DOTALL)]
    for text in [*fences("yaml"), *heredocs]:
        for made in yaml.safe_load_all(text):
            if isinstance(made, dict) and made.get("kind") == "DomainCollection":
                yield made


def value(name: str) -> bool:
    """Tell whether the chart has a value of that name; what it hands on to pods as it is may hold what pods may."""
    here: Any = VALUES
    for part in (re.sub(r"(?<=odSecurityContext)\..*", "", name)).split("."):
        if not isinstance(here, dict) or (here and part not in here):
            return False
        here = here.get(part, {})
    return True


def test_each_call_of_the_collector_is_one_that_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in _FILES:
        Path(name).write_text("small.example\n")
    found = commands("novahunt-collector")
    assert len(found) >= 8
    for words in found:
        assert arguments.read(words, {}), words


def test_each_call_of_the_command_line_is_one_that_it_takes() -> None:
    found = commands("novahunt")
    assert len(found) >= 8
    for words in found:
        whole = novahunt.make_context("novahunt", list(words))
        name, command, rest = novahunt.resolve_command(whole, [*whole._protected_args, *whole.args])
        assert isinstance(command, click.Command)
        command.make_context(name, rest, parent=whole)


def test_each_collection_on_a_page_fits_the_kind() -> None:
    schema = recorded_states.schema()
    found = list(collections())
    assert len(found) >= 5
    for made in found:
        assert list(recorded_states.unknown(schema["properties"]["spec"], made["spec"])) == []
        whole = recorded_states.with_defaults(schema, made)
        whole["metadata"] |= {"namespace": "sales", "uid": "one", "generation": 1, "resourceVersion": "1"}
        assert domaincollections.read(whole).spec_error is None, made


def test_each_value_of_the_chart_that_a_page_names_is_there() -> None:
    named: set[str] = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        for settings in re.findall(r"--set(?:-string)? ([\w.]+=[^\s`']+)", text):
            named |= {one.partition("=")[0] for one in re.split(r",(?=[\w.]+=)", settings)}
        for name in re.findall(r"`([a-zA-Z]+(?:\.[a-zA-Z]+)+)(?:[:=][^`]*)?`", text):
            if name.partition(".")[0] in VALUES and not name.endswith((".py", ".md", ".yaml", ".sh", ".crt", ".key")):
                named.add(name)
    assert len(named) >= 40
    assert sorted(name for name in named if not value(name)) == []


def test_each_annotation_that_a_page_names_is_one_that_is_written_or_read() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(rf"annotation\s+`({re.escape(names.GROUP)}/[a-z-]+)", text))
    assert names.REQUEST_ID_ANNOTATION in named
    assert named <= {value for name, value in vars(names).items() if name.endswith("_ANNOTATION")}


def test_each_test_that_a_page_names_is_there() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text("utf-8"))}
    tests = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) >= 20
    assert sorted(name for name in named if f"def {name}(" not in tests) == []


def test_a_document_of_the_old_worker_answers_once_it_names_the_search_that_the_page_tells() -> None:
    told = re.search(r"\.searchHash = \"(v1-[0-9a-f]{16})\"", (ROOT / "docs/from-redis.md").read_text("utf-8"))
    assert told is not None
    plain = searchhash.search_hash(searchhash.Search())
    old = (
        b'{"domain": "example.com", "items": [{"email": "john@example.com", "name": "John Doe", "title": "CEO",'
        b' "confidence": 0.95, "source": "https://example.com/about"}], "total": 1,'
        b' "storedAt": "2024-11-21T12:00:00.000Z", "collectedAt": "2024-11-21T11:59:45.000Z",'
        b' "jobId": "collect-example.com-1732190385000"'
    )
    for ending, expected in ((b"}", False), (f', "searchHash": "{told[1]}"}}'.encode(), True)):
        read = document.decode(old + ending)
        answers = is_fresh(read, search_hash=plain, not_before=None, max_results=5000, max_credits=None)
        assert answers is expected


def unit_lines(name: str) -> Iterator[tuple[str, str]]:
    for line in (UNITS / name).read_text("utf-8").splitlines():
        key, equals, text = line.partition("=")
        if equals and not line.startswith("#"):
            yield key, text


def test_the_unit_calls_the_collector_as_it_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in _FILES:
        Path(name).write_text("small.example\n")
    calls = {
        key: shlex.split(text.replace("/etc/novahunt/", "")) for key, text in unit_lines("novahunt-collector.service")
    }
    before, during = (arguments.read(calls[key][1:], {}) for key in ("ExecStartPre", "ExecStart"))
    assert before.sweep
    assert during.domains == ("small.example",)
    assert before.options.folder == during.options.folder
    assert before.options.suppress == during.options.suppress


def test_systemd_has_nothing_against_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze on this machine")
    files = []
    for unit in sorted(UNITS.iterdir()):
        # It looks whether programs are there, and this one is not installed.
        text = re.sub(r"/opt/novahunt/bin/\S+", str(shutil.which("true")), unit.read_text("utf-8"))
        files.append(tmp_path / unit.name)
        files[-1].write_text(text)
    assert {file.suffix for file in files} == {".service", ".timer"}
    done = subprocess.run([program, "verify", *files], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_each_page_begins_by_saying_what_it_is_for(page: Path) -> None:
    title, _, text = page.read_text("utf-8").partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith("This page ")
