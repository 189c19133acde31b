"""Renders the chart for tests."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "novahunt"
IMAGES = (
    "image.repository=registry.example.com/operator",
    "image.tag=v1",
    "collector.image.repository=registry.example.com/collector",
    "collector.image.tag=v2",
)
# A Helm that was built by `go install` may think of a Kubernetes older than any that the chart takes.
KUBE_VERSION = ("--kube-version=1.37.0",)
TEMPLATE = ("template", *KUBE_VERSION)
NONE_FOR_PEOPLE = ("rbac.aggregate=false", "rbac.addressReader=false")

Json = dict[str, Any]


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, as kustomize does, through which Flux passes what Helm has rendered."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice: {node.start_mark}"
        return super().construct_mapping(node, deep)


class Helm:
    """Runs Helm without a cluster and without a home of its own."""

    def __init__(self, program: str, home: Path) -> None:
        self._program = program
        folders = {name: str(home) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")}
        self._environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home)} | folders

    def run(self, *args: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [self._program, *args], env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def template(
        self, *values: str, release: str = "nh", namespace: str = "novahunt", options: tuple[str, ...] = ("--no-hooks",)
    ) -> list[Json]:
        """Render with the images and these values; return the objects, without those of `helm test`."""
        given = ("--namespace", namespace, "--set", ",".join((*IMAGES, *values)))
        code, out, err = self.run(*TEMPLATE, release, str(CHART), *given, *options)
        assert code == 0, err
        return [value for value in yaml.load_all(out, _Strict) if value]

    def refusal(self, *values: str, images: tuple[str, ...] = IMAGES) -> str:
        """Try to render; return what Helm says against it."""
        given = [part for value in (*images, *values) for part in ("--set", value)]
        code, _, err = self.run(*TEMPLATE, "nh", str(CHART), *given)
        assert code != 0
        return err


def of_kind(objects: list[Json], kind: str) -> list[Json]:
    return [value for value in objects if value["kind"] == kind]


def names(objects: list[Json], kind: str) -> list[str]:
    return [value["metadata"]["name"] for value in of_kind(objects, kind)]
