"""The pages make a site: links and anchors lead somewhere, no page is left out, nothing is fetched from elsewhere."""

import shutil
from pathlib import Path

import pytest

from tools import site
from tools.shell import ROOT

NAVIGATION = """\
root: README
entries:
  - file: docs/one
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a checkout of three pages, with the real configuration."""
    checkout = tmp_path / "checkout"
    (checkout / "docs").mkdir(parents=True)
    shutil.copy(ROOT / site.CONFIGURATION, checkout / site.CONFIGURATION)
    shutil.copytree(ROOT / "docs/_static", checkout / "docs/_static")
    (checkout / site.NAVIGATION).write_text(NAVIGATION)
    (checkout / "README.md").write_text("# First\n\n[One](docs/one.md#a-part) and [a list](list.txt).\n")
    (checkout / "docs/one.md").write_text("# One\n\n## A part\n\n[Back](../README.md)\n")
    (checkout / "list.txt").write_text("small.example\n")
    return checkout


def test_all_pages_of_the_repository_make_a_site(tmp_path: Path) -> None:
    first = site.build(tmp_path)
    assert "<h1>NovaHunt" in first.read_text("utf-8")
    assert (tmp_path / "docs/reference.html").is_file()
    assert list((tmp_path / "_downloads").rglob("rules.yaml")), "a file that a page links to is handed out"


def test_a_broken_link_or_anchor_or_a_page_outside_of_the_navigation_is_refused(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # CI services set it, and Sphinx would colour its lines, which this project reads and prints.
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert site.build(tmp_path / "before", checkout=small).is_file()
    (small / "docs/one.md").write_text(
        "# One\n\n[a](../list.md) [b](../gone.yaml) [c](../README.md#no-such-part) [d](two.md)\n"
    )
    (small / "docs/alone.md").write_text("# Alone\n")
    with pytest.raises(site.SiteError) as refused:
        site.build(tmp_path / "after", checkout=small)
    told = str(refused.value).splitlines()
    assert all(line.startswith(("README.md:", "docs/")) for line in told), told
    for place, words in (
        ("README.md:3", "a-part"),
        ("docs/one.md:3", "../gone.yaml"),
        ("docs/one.md:3", "no-such-part"),
        ("docs/one.md:3", "two.md"),
        ("docs/one.md:3", "list"),
        ("docs/alone.md", "add it to docs/_toc.yml"),
    ):
        assert [line for line in told if line.startswith(place) and words in line], (place, words, told)


def test_what_a_page_would_fetch_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="https://cdn.example/a.css"><script src="//cdn.example/b.js"></script>'
        '<img src="picture.png"><a href="https://www.example.com/">a link</a>'
        "<style>body { background: url(https://cdn.example/c.png) }</style>"
    )
    (tmp_path / "own.css").write_text(
        "@import 'https://cdn.example/d.css'; a { background: url(data:image/png;base64,) }"
    )
    assert [line.rpartition("/")[2] for line in site.fetches(tmp_path)] == ["d.css", "a.css", "b.js", "c.png"]
