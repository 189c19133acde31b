"""Records which connections are made on a whole node, as its kernel tracks them, and finds out whose they are."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import msgspec

from devcluster.network import enter
from devcluster.paths import run_root
from devcluster.record import Registry
from devcluster.requirements import find_command
from e2e.policies import Connection, End
from tools.shell import ask

SECONDS = 20.0

_FLOW = re.compile(
    r"\b(?P<protocol>tcp|udp)\s.*?src=(?P<source>\S+) .*?src=(?P<destination>\S+) dst=\S+ sport=(?P<port>\d+)"
)
POD_NETWORK = ip_network("10.244.0.0/16")
BRIDGE = ip_address("10.244.0.1")
"""The node's own address among its pods."""


@dataclass(frozen=True)
class Flow:
    """One connection; the destination is the one behind a Service's address."""

    source: str
    destination: str
    port: int
    protocol: str


class _Port(msgspec.Struct, rename="camel"):
    container_port: int
    name: str = ""


class _Container(msgspec.Struct):
    ports: tuple[_Port, ...] = ()


class _Spec(msgspec.Struct):
    containers: tuple[_Container, ...]


class _Status(msgspec.Struct):
    pod_ip: str = msgspec.field(default="", name="podIP")


class _Metadata(msgspec.Struct):
    name: str
    namespace: str
    labels: dict[str, str] = {}


class _Pod(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec
    status: _Status


class _Pods(msgspec.Struct):
    items: tuple[_Pod, ...]


def flows(text: str) -> set[Flow]:
    """Read what conntrack says of connections; TCP and UDP alone are looked at."""
    return {
        Flow(found["source"], found["destination"], int(found["port"]), found["protocol"].upper())
        for found in _FLOW.finditer(text)
    }


def pods(*answers: str) -> dict[str, End]:
    """Read lists of pods; return them by address.

    Raises:
        AssertionError: two of them had the same address, one after the other.
    """
    found: dict[str, End] = {}
    for pod in (pod for answer in answers for pod in msgspec.json.decode(answer, type=_Pods).items):
        about, address = pod.metadata, pod.status.pod_ip
        if address:
            ports = {port.name: port.container_port for one in pod.spec.containers for port in one.ports if port.name}
            end = End(address, about.namespace, about.name, about.labels, ports)
            assert str(found.get(address, end)) == str(end), f"{found[address]} and {end} both had {address}"
            found[address] = end
    return found


def strangers(flows: set[Flow], pods: Mapping[str, End]) -> set[str]:
    """Return addresses of pods that nothing is known of: their connections can't be judged."""
    seen = {address for flow in flows for address in (flow.source, flow.destination)} - pods.keys()
    return {one for one in seen if ip_address(one) in POD_NETWORK and ip_address(one) != BRIDGE}


def connections(flows: set[Flow], pods: Mapping[str, End]) -> set[Connection]:
    """Tell whose connections these are; those that no pod takes part in are left out."""
    found = set()
    for flow in flows:
        source = pods.get(flow.source, End(flow.source))
        destination = pods.get(flow.destination, End(flow.destination))
        if flow.source in pods or flow.destination in pods:
            found.add(Connection(source, destination, flow.port, flow.protocol))
    return found


def _conntrack(cluster: str, *words: str) -> list[str]:
    """Return the command that looks at a whole node's connections."""
    return [*enter(Registry(run_root()).get(cluster)), find_command("conntrack") or "conntrack", *words]


def established(cluster: str) -> set[Flow]:
    """Return the connections that are open now: those of watches last for minutes."""
    return flows(ask(_conntrack(cluster, "-L", "-p", "tcp", "--state", "ESTABLISHED")))


@contextmanager
def recording(cluster: str, file: Path) -> Iterator[None]:
    """Write the new connections of a whole node into a file, as conntrack shows them."""
    words = _conntrack(cluster, "-E", "-e", "NEW")
    with file.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE) as program:
        try:
            deadline = time.monotonic() + SECONDS
            # The node's own parts call each other all the time.
            while not file.stat().st_size:
                assert program.poll() is None, program.stderr and program.stderr.read().decode()
                assert time.monotonic() < deadline, "no connection was seen"
                time.sleep(0.1)
            yield
        finally:
            program.send_signal(signal.SIGTERM)
