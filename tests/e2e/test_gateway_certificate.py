"""HTTPS to a gateway beside the operator, which keeps its certificate: the chart as it is without further values."""

import base64
import secrets
import ssl
import time

import httpx
import pytest

from e2e.node import SALES, SECONDS, SYSTEM, Node

pytestmark = pytest.mark.node


def test_callers_check_the_gateway_by_the_authority_that_the_operator_keeps(left_clean: Node) -> None:
    node = left_clean
    token = secrets.token_hex(16)
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gateway"}, "stringData": {"token": token}}
    node.apply(made, namespace=SYSTEM)
    host = node.host
    node.install(
        gateway__enabled="true",
        gateway__namespace=SYSTEM,
        gateway__tokenSecretRef__name="gateway",
        gateway__service__type="NodePort",
        **{"watchNamespaces[0]": SALES, "watchNamespaces[1]": SYSTEM, "gateway.tls.hosts[0]": host},
    )
    node.kubectl("rollout", "status", "deployment/novahunt-gateway", "-n", SYSTEM, f"--timeout={SECONDS:.0f}s")
    port = node.kubectl(
        *("get", "service", "novahunt-gateway", "-n", SYSTEM, "-o", "jsonpath={.spec.ports[?(@.port==443)].nodePort}")
    )
    held = node.kubectl("get", "secret", "novahunt-certificate", "-n", SYSTEM, "-o", r"jsonpath={.data.ca\.crt}")
    trusting = ssl.create_default_context(cadata=base64.b64decode(held).decode())
    address = f"https://{host}:{port}"
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30, verify=trusting) as caller:
        assert answered(caller, "/api/collections")["collections"] == []
    with httpx.Client(base_url=address) as stranger, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"):
        stranger.get("/")


def answered(caller: httpx.Client, path: str) -> dict[str, object]:
    """Return the first answer; until the Service's port leads to the new pod, connections are refused."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            answer = caller.get(path)
        except httpx.ConnectError:
            assert time.monotonic() < deadline, f"{path} never answered"
            time.sleep(0.2)
            continue
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert isinstance(found, dict)
        return found
