"""What must be true before a release: said in sentences, so that a person can make it true."""

from dataclasses import dataclass

from novahunt_contract import __version__
from tools.release import version
from tools.release.charts import CHART
from tools.shell import ROOT, ProgramError, ask


@dataclass(frozen=True)
class Checkout:
    """The state of the checkout that a release is made from."""

    branch: str
    """Empty when no branch is checked out."""
    revision: str
    """The commit, forty digits."""
    seconds: int
    """The commit's time, since 1970."""
    changed: tuple[str, ...]
    """Files that differ from the commit, or are not in it."""
    tags: frozenset[str]
    changelog: str
    chart: str
    """Chart.yaml."""


def look() -> Checkout:
    """Read the state of the checkout.

    Raises:
        ProgramError: this is no checkout of git's.
    """
    return Checkout(
        branch=ask(["git", "branch", "--show-current"]).strip(),
        revision=ask(["git", "rev-parse", "HEAD"]).strip(),
        seconds=int(ask(["git", "log", "-1", "--format=%ct"])),
        changed=tuple(ask(["git", "status", "--porcelain"]).splitlines()),
        tags=frozenset(ask(["git", "tag"]).split()),
        changelog=(ROOT / "CHANGELOG.md").read_text(),
        chart=(CHART / "Chart.yaml").read_text(),
    )


def problems(checkout: Checkout, release: str = __version__) -> list[str]:
    """Tell what forbids a release of this state; an empty list if nothing does."""
    found = []
    if checkout.branch != "main":
        found.append(f"the branch is {checkout.branch or 'none'}: a release is made from main")
    if checkout.changed:
        found.append(f"{len(checkout.changed)} files differ from the commit, {checkout.changed[0].split()[-1]} for one")
    if f"v{release}" in checkout.tags:
        found.append(f"the tag v{release} is there already: raise the version in {version.HOME}")
    if not version.has_heading(checkout.changelog, release):
        found.append(f"CHANGELOG.md has no heading `## {release}`")
    return found + version.disagreements(version.chart_sayings(checkout.chart), release)


def lint() -> list[str]:
    """Run every check that needs no cluster; tell of it if one fails."""
    try:
        ask(["make", "lint"], seconds=1200)
    except ProgramError as error:
        return [f"`make lint` fails: {error}"]
    return []
