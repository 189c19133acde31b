"""The cluster that is worked on: one of the cluster tool, kind's, or any other that a kubeconfig names."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click
import yaml

from devcluster.builds import Part
from devcluster.paths import cache_root
from devcluster.programs import Programs
from tools.images import Image
from tools.shell import ProgramError, ask, devcluster, exports, show

OWN_CONTEXT = "novahunt-"
"""Contexts of the cluster tool begin so, followed by the cluster's name."""

KIND_CONTEXT = "kind-"
LOCAL = "localhost"
CHART = "charts/novahunt"
"""Relative to the checkout."""


@dataclass(frozen=True)
class Target:
    """A cluster, and how its images come to it."""

    environment: Mapping[str, str]
    """With KUBECONFIG, and kubectl and helm on the PATH."""
    context: str
    registry: str | None

    @classmethod
    def own(cls, name: str, *options: str) -> Self:
        """Bring a whole node of the cluster tool up, with these options of `up`, or find it up."""
        show(devcluster("up", "--name", name, *options))
        return cls(exports(ask(devcluster("env", "--name", name))), f"{OWN_CONTEXT}{name}", None)

    @classmethod
    def of(cls, kubeconfig: Path, registry: str | None) -> Self:
        """Use the current context of a kubeconfig.

        Raises:
            ProgramError: it can't be read, or there is no way for images to come to that cluster.
        """
        try:
            context = str(yaml.safe_load(kubeconfig.read_text())["current-context"])
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise ProgramError(f"{kubeconfig} is no kubeconfig with a current context: {error}") from None
        if registry is None and not context.startswith((OWN_CONTEXT, KIND_CONTEXT)):
            raise ProgramError(
                f"context {context} is neither of the cluster tool nor of kind: name a registry that this cluster "
                "pulls from, REGISTRY=host/path, so that the images can be pushed there"
            )
        environment = exports("") | {"KUBECONFIG": str(kubeconfig.absolute())}
        missing = [name for name in ("kubectl", "helm") if shutil.which(name) is None]
        if missing:
            show(devcluster("build", "--only", Part.KUBERNETES, "--only", Part.HELM))
            programs = Programs.cached(cache_root())
            environment["PATH"] = f"{programs.kubernetes}:{programs.helm}:{environment['PATH']}"
        return cls(environment, context, registry)

    @property
    def is_own(self) -> bool:
        """Whether it is a cluster of the cluster tool."""
        return self.registry is None and self.context.startswith(OWN_CONTEXT)

    def load(self, images: tuple[Image, ...]) -> None:
        """Make built images known to the cluster; with a registry they are pushed there already."""
        references = [image.reference(self.registry) for image in images]
        if self.registry is not None:
            return
        if self.is_own:
            show(devcluster("load", "--name", self.context.removeprefix(OWN_CONTEXT), *references))
        else:
            name = self.context.removeprefix(KIND_CONTEXT)
            show(["kind", "load", "docker-image", "--name", name, *references])

    def kubectl(self, *args: str, stdin: str = "") -> str:
        """Run kubectl and return what it printed.

        Raises:
            ProgramError: it failed.
        """
        return ask(["kubectl", *args], environment=self.environment, stdin=stdin)

    def helm(self, *args: str) -> str:
        """Run Helm and return what it printed.

        Raises:
            ProgramError: it failed.
        """
        return ask(["helm", *args], environment=self.environment, seconds=240)

    def install(
        self, namespace: str, operator: Image, collector: Image, values: Mapping[str, str], chart: str = CHART
    ) -> None:
        """Install the chart with these images, and wait until the operator is ready."""
        pairs = {
            "image.repository": operator.repository(self.registry),
            "image.tag": operator.tag(),
            "collector.image.repository": collector.repository(self.registry),
            "collector.image.tag": collector.tag(),
            "fullnameOverride": "novahunt",
            **values,
        }
        settings = [
            word
            for name, value in pairs.items()
            for word in ("--set-string" if name.endswith("tag") else "--set", f"{name}={value}")
        ]
        words = ["upgrade", "--install", "novahunt", chart, "--namespace", namespace, *settings]
        try:
            self.helm(*words, "--create-namespace", "--wait", "--timeout", "3m")
        except ProgramError as error:
            said = self.kubectl("logs", "--namespace", namespace, "deployment/novahunt", "--tail=20")
            raise ProgramError(f"{error}\nThe operator said:\n{said}") from None
        click.echo(f"installed the chart in namespace {namespace}")
