"""What is missing on a machine is named all at once, with the one command that helps."""

from pathlib import Path

import pytest

from devcluster import requirements
from devcluster.errors import MissingToolsError, ProgramError, RefusedInputError
from devcluster.requirements import NODE_TOOLS, Tool, missing, refusal


def test_every_missing_tool_is_named_and_each_package_once() -> None:
    lacking = missing(NODE_TOOLS, find=lambda command: "/there" if command == "ip" else None)
    message = str(refusal(lacking))
    assert "this machine lacks: containerd, ctr, runc, /usr/lib/cni/bridge, iptables" in message
    assert message.count(" containerd ") == 1
    assert "apt-get install -y --no-install-recommends conntrack containerd containernetworking-plugins" in message
    assert "iproute2" not in message


def test_a_machine_with_everything_needs_nothing() -> None:
    assert missing(NODE_TOOLS, find=lambda _: "/there") == ()


def test_an_ordinary_user_is_told_instead_of_installing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(MissingToolsError, match="apt-get install -y --no-install-recommends no-package"):
        requirements.ensure([Tool("no-such-command-anywhere", "no-package")])


def test_an_ordinary_user_is_told_what_works_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(RefusedInputError, match="a whole node needs root; `up --control-plane` works without"):
        requirements.need_root("a whole node")


@pytest.mark.parametrize(
    ("words", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26)), ("go version devel +abc", None), ("", None)],
)
def test_the_version_of_go_is_read(
    words: str, version: tuple[int, int] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "run", lambda *_, **__: words)
    assert requirements.go_version(str(tmp_path)) == version


def test_a_go_that_does_not_run_is_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> str:
        raise ProgramError(["go"], 127, "not found")

    monkeypatch.setattr(requirements, "run", broken)
    assert requirements.go_version("go") is None
