"""The program where no cluster is needed: usage, manifests, errors, exit codes."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from novahunt_api.cluster import error_of
from novahunt_cli import exits, showing
from novahunt_cli.__main__ import main, novahunt
from novahunt_cli.exits import Exit


def manifest(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["collect", *arguments, "-o", "yaml"]) == Exit.DONE
    found: dict[str, object] = yaml.safe_load(capsys.readouterr().out)
    return found


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def test_help_names_every_command() -> None:
    answer = CliRunner().invoke(novahunt, ["--help"])
    assert answer.exit_code == 0
    for command in novahunt.commands:
        assert command in answer.output


def test_a_manifest_holds_what_was_asked_for_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--name", "leads", "-n", "sales", "--budget", "0", "--storage-claim", "c", "--search-type", "personal"]
    lists = ["--suppression-secret", "dnc/list", "--key-secret", "hunter"]
    assert manifest(capsys, "https://www.example.com/", *options, *lists) == {
        "apiVersion": "novahunt.io/v1alpha1",
        "kind": "DomainCollection",
        "metadata": {"name": "leads", "namespace": "sales"},
        "spec": {
            "domains": ["example.com"],
            "budget": {"maxCredits": 0},
            "search": {"type": "personal"},
            "storage": {"persistentVolumeClaim": {"claimName": "c"}},
            "suppressionFrom": [{"secretKeyRef": {"name": "dnc", "key": "list"}}],
            "apiKeySecretRef": {"name": "hunter", "key": "HUNTER_API_KEY"},
        },
    }


def test_what_is_left_out_is_named_by_its_place_and_never_an_address(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text("small.example\njane@small.example\nnothing\nsmall.example\n")
    assert main(["collect", "-f", str(tmp_path / "list.txt"), "--dry-run", "client"]) == Exit.DONE
    told = capsys.readouterr().err
    assert "line 2: it holds an @" in told
    assert "jane" not in told
    assert "line 3 'nothing': it is a single label" in told
    assert "line 4 (small.example, first in" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["collect"],
        ["collect", "nothing"],
        ["collect", "-f", "no/such/file"],
        ["nonsense"],
        ["collect", "--budget", "x"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == Exit.USAGE
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"domain\n" + b"x" * 200_000, b"domain\n\xff\xfe", b"domain\n", b"a\n" * 50_001])
def test_a_list_that_cannot_be_read_is_named(
    content: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    file.write_bytes(content)
    assert main(["collect", "-f", str(file), "-o", "yaml"]) == Exit.USAGE
    told = capsys.readouterr()
    assert str(file) in told.err or "name domains" in told.err
    assert "Traceback" not in told.err


def test_a_defect_of_ours_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_given: object, **_options: object) -> None:
        raise RuntimeError("jane@small.example")

    monkeypatch.setattr(novahunt, "main", break_down)
    assert main(["status"]) == Exit.ERROR
    told = capsys.readouterr().err
    assert told.startswith("novahunt: a defect: RuntimeError at test_program.py:")
    assert "jane" not in told


def test_without_a_kubeconfig_one_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == Exit.ERROR
    told = capsys.readouterr()
    assert told.err.startswith("novahunt: no cluster to speak to: there is no kubeconfig")
    assert told.err.count("\n") == 1
    assert not told.out


def test_an_unreachable_cluster_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "gone",
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "none", "namespace": "sales"}}],
        "clusters": [{"name": "gone", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "none", "user": {}}],
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    assert main(["status", "--kubeconfig", str(file)]) == Exit.ERROR
    assert "the cluster at http://127.0.0.1:1 can't be reached" in capsys.readouterr().err
    assert manifest(capsys, "small.example", "--kubeconfig", str(file))["metadata"]["namespace"] == "sales"  # type: ignore[index]
    assert main(["status", "--kubeconfig", str(file), "--context", "other"]) == Exit.ERROR
    assert "no cluster to speak to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "body", "expected", "told"),
    [
        (404, b"404 page not found", Exit.NOT_FOUND, "install the chart"),
        (404, b'{"message":"domaincollections \\"x\\" not found","reason":"NotFound"}', Exit.NOT_FOUND, "status -A"),
        (
            403,
            b'{"message":"x is forbidden: User \\"u\\" cannot list resource \\"y\\""}',
            Exit.NOT_ALLOWED,
            "cannot list",
        ),
        (401, b'{"message":"Unauthorized"}', Exit.NOT_ALLOWED, "log in"),
        (409, b'{"message":"exists"}', Exit.ERROR, "another name"),
        (422, b'{"message":"spec.x is wrong"}', Exit.ERROR, "spec.x is wrong"),
        (503, b"", Exit.ERROR, "too busy"),
    ],
)
def test_each_refusal_has_a_sentence_and_a_code(code: int, body: bytes, expected: Exit, told: str) -> None:
    error = exits.of_api(error_of(code, body), "https://cluster.example")
    assert error.code == expected
    assert told in str(error)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (119, "119s"), (192, "3m12s"), (7300, "2h1m"), (400000, "4d")]
)
def test_spans_are_written_as_kubectl_does(seconds: float, text: str) -> None:
    assert showing.span(seconds) == text


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_each_shell_gets_a_completion_that_asks_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == Exit.DONE
    assert "_NOVAHUNT_COMPLETE" in capsys.readouterr().out


def test_without_a_cluster_no_name_is_completed_and_nothing_is_said() -> None:
    environment = {"_NOVAHUNT_COMPLETE": "bash_complete", "COMP_WORDS": "novahunt why ", "COMP_CWORD": "2"}
    answer = CliRunner().invoke(novahunt, [], env=environment, prog_name="novahunt", complete_var="_NOVAHUNT_COMPLETE")
    assert (answer.exit_code, answer.output.strip()) == (0, "")
