"""Builds the repository's pages as a site, strictly: `python -m tools.site`, run as `make docs`.

Refused are broken links and anchors, pages that the navigation lacks, all else that Sphinx warns of, and whatever a
page would fetch from elsewhere when it is read.
"""

import html.parser
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devcluster.paths import cache_root
from tools import shell

CONFIGURATION = Path("docs/conf.py")
NAVIGATION = Path("docs/_toc.yml")

_ELSEWHERE = re.compile(r"\s*([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
_FETCHING = {"src", "srcset", "data", "poster"}
"""Attributes whose address a browser fetches by itself."""
_FETCHING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "modulepreload", "manifest"}


class SiteError(Exception):
    """The pages make no site; the text names each fault by file and line, and what helps."""


def build(into: Path, *, checkout: Path = shell.ROOT) -> Path:
    """Make the site in a folder and return its first page.

    Args:
        into: The folder; what is in it already may be replaced.
        checkout: The folder whose pages are read; it holds `docs/conf.py` and `docs/_toc.yml`.

    Raises:
        SiteError: something is wrong with the pages.
        ProgramError: the environment of Sphinx can't be made.
    """
    bin_folder = Path(shell.ask(["scripts/venv", "--lock", "docs"], seconds=600).strip()) / "bin"
    with tempfile.TemporaryDirectory() as scratch:
        # Read anew each time: what Sphinx remembers of a page has no warnings any more.
        done = subprocess.run(  # noqa: S603 - the program is named by this project
            [
                *(bin_folder / "sphinx-build", "-b", "html", "-q", "-n", "-W", "--keep-going", "--no-color"),
                *("-c", checkout / CONFIGURATION.parent, "-d", scratch, checkout, into),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    faults = [_told(line, checkout) for line in done.stderr.splitlines() if line.strip()]
    if done.returncode:
        raise SiteError("\n".join(faults))
    if fetched := fetches(into):
        raise SiteError("\n".join(fetched))
    return into / "README.html"


def fetches(site: Path) -> list[str]:
    """Return what the site's pages and styles would fetch from elsewhere; links that a person follows don't count."""
    found: list[str] = []
    for file in sorted(site.rglob("*")):
        if file.suffix == ".html":
            reader = _Reader()
            reader.feed(file.read_text("utf-8"))
            found += [f"{file.relative_to(site)}: fetches {address}" for address in reader.fetched]
        elif file.suffix == ".css":
            addresses = _STYLE.findall(file.read_text("utf-8"))
            found += [f"{file.relative_to(site)}: fetches {address}" for address in addresses]
    return found


class _Reader(html.parser.HTMLParser):
    """Collects the addresses of one page that a browser fetches from another host."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        addresses = [given[name] for name in _FETCHING & given.keys()]
        if tag == "link" and _FETCHING_LINKS & set(given.get("rel", "").split()):
            addresses.append(given.get("href", ""))
        self.fetched += [one for one in addresses if _ELSEWHERE.match(one)]
        self.fetched += _STYLE.findall(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.fetched += _STYLE.findall(data)


def _told(line: str, checkout: Path) -> str:
    """Return one of Sphinx's lines without this machine's path, and with what helps."""
    line = line.replace(f"{checkout}/", "")
    if "[toc.not_included]" in line:
        return f"{line}: add it to {NAVIGATION}"
    if "Unknown source document" in line:
        return f"{line}: the page is not there, or its folder is left out by {CONFIGURATION}"
    return line


def main() -> int:
    """Build the site in the cache and print where it is; return 1 if a page is at fault."""
    folder = cache_root() / "docs"
    # Pages that are there no more would stay.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        first = build(folder)
    except (SiteError, shell.ProgramError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{first}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
