"""Archives and the chart's package have the same bytes whenever, wherever and by whomever they are made."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml

from devcluster import archives
from tools.release import charts
from tools.release.folder import SUMS, sums
from unit.chart import CHART, ROOT, Helm, of_kind


def filled(folder: Path, order: tuple[str, ...], seconds: int, mode: int) -> Path:
    for name in order:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        file.chmod(mode)
        os.utime(file, (seconds, seconds))
    return folder


@pytest.mark.parametrize("compress", [False, True])
def test_times_orders_and_masks_do_not_show(compress: bool, tmp_path: Path) -> None:  # noqa: FBT001
    first = filled(tmp_path / "one", ("b", "a/c"), 1_000_000_000, 0o644)
    second = filled(tmp_path / "two", ("a/c", "b"), 1_700_000_000, 0o664)
    for folder in (first, second):
        archives.pack(folder, folder.with_suffix(".tar"), compress=compress)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:
        assert archive.getnames() == ["a", "a/c", "b"]


def test_what_may_be_executed_stays_so(tmp_path: Path) -> None:
    archives.pack(filled(tmp_path / "in", ("program",), 0, 0o700), tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as archive:
        assert archive.getmember("program").mode == 0o755


def test_the_package_of_the_chart_is_the_same_again_and_renders_to_the_images(helm: Helm, tmp_path: Path) -> None:
    # The chart's link to the kinds leads out of it.
    shutil.copytree(ROOT / "crds", tmp_path / "crds")
    copy = tmp_path / "charts" / "novahunt"
    shutil.copytree(CHART, copy, symlinks=True)
    for file in copy.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    made = []
    for number, chart in enumerate((CHART, copy)):
        (folder := tmp_path / str(number)).mkdir()
        made.append(charts.package(Path(helm._program), folder, chart))
    assert made[0].read_bytes() == made[1].read_bytes()
    digests = charts.Digests(f"sha256:{'a' * 64}", f"sha256:{'b' * 64}")
    text = charts.manifests(Path(helm._program), made[0], "registry.example.com/novahunt", digests)
    objects = [found for found in yaml.safe_load_all(text) if found]
    assert len(of_kind(objects, "CustomResourceDefinition")) == 2
    (deployment,) = of_kind(objects, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example.com/novahunt/novahunt-operator@{digests.operator}"
    values = [variable.get("value") for variable in container["env"]]
    assert f"registry.example.com/novahunt/novahunt-collector@{digests.collector}" in values


def test_the_checksums_name_every_file_but_their_own(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("")
    (tmp_path / "a").write_text("a\n")
    (tmp_path / SUMS).write_text("older")
    assert sums(tmp_path) == (
        "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7  a\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
    )
