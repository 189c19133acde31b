"""Images: pip's settings go into builds without the machine's folders, and the pause image is a whole image."""

import configparser
import json
import tarfile
from pathlib import Path

import pytest

from devcluster.errors import RefusedInputError
from devcluster.images import authorities, check_tags, pip_settings, write_single_file_image


def settings_of(environ: dict[str, str], listed: str = "") -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(pip_settings(environ, listed))
    return dict(parser["global"])


def test_where_packages_come_from_is_passed_on_and_the_environment_goes_first() -> None:
    listed = "global.index-url='https://a.invalid/simple'\nglobal.timeout='60'\ninstall.trusted-host='a.invalid'\n"
    found = settings_of({"PIP_INDEX_URL": "https://b.invalid/%20simple"}, listed)
    assert found["index-url"] == "https://b.invalid/%20simple"
    assert found["timeout"] == "60"
    assert found["trusted-host"] == "a.invalid"


def test_folders_of_this_machine_are_not_passed_on() -> None:
    found = settings_of({"PIP_FIND_LINKS": "/opt/wheels", "PIP_CERT": "/home/me/ca.pem", "PIP_TARGET": "/x"})
    assert found == {"cert": "/etc/ssl/certs/ca-certificates.crt"}


def test_an_image_without_a_tag_is_refused_because_kubelets_would_ask_a_registry() -> None:
    check_tags(["localhost:5000/a:1", "b:2"])
    for image in ("a", "localhost:5000/a", "a:latest"):
        with pytest.raises(RefusedInputError, match="needs a tag"):
            check_tags([image])


def test_the_pause_image_is_one_program_that_its_configuration_starts(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"program")
    target = tmp_path / "image.tar"
    write_single_file_image(target, image="localhost/pause:1", program=program, architecture="amd64")
    with tarfile.open(target) as archive:
        manifest = json.load(archive.extractfile("manifest.json") or pytest.fail("no manifest"))
        configuration = json.load(archive.extractfile(manifest[0]["Config"]) or pytest.fail("no configuration"))
        with tarfile.open(fileobj=archive.extractfile(manifest[0]["Layers"][0])) as layer:
            assert [(entry.name, entry.mode) for entry in layer] == [("pause", 0o755)]
    assert manifest[0]["RepoTags"] == ["localhost/pause:1"]
    assert configuration["config"]["Entrypoint"] == ["/pause"]


def test_the_authorities_that_pip_is_told_of_go_before_the_systems(tmp_path: Path) -> None:
    own, system = tmp_path / "own.pem", tmp_path / "system.pem"
    own.touch()
    assert authorities({"PIP_CERT": str(own)}, default=system) == own
    assert authorities({"PIP_CERT": str(tmp_path / "gone")}, default=system) is None
    system.touch()
    assert authorities({}, default=system) == system
