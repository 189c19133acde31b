"""`up`: allocates a cluster's place, starts its parts in order, and takes everything down again if one fails."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devcluster import builds, control_plane, images, network, requirements, simulator, whole_node
from devcluster.allocation import IN_OWN_NAMESPACE, Link, checked_name, free_link, free_ports
from devcluster.api import ApiClient
from devcluster.builds import Part
from devcluster.certificates import ControlPlaneKeys
from devcluster.commands import run
from devcluster.errors import DamagedClusterError, DevclusterError, ProgramError, RefusedInputError
from devcluster.launcher import Launcher, living
from devcluster.paths import RunFolder
from devcluster.processes import ProcessTable
from devcluster.programs import Programs
from devcluster.record import ClusterRecord, Kind, Limits, Registry, State, namespace_of
from devcluster.teardown import take_down

Say = Callable[[str], None]

DEFAULT_NAMESPACE_ACCOUNT: Final = "/api/v1/namespaces/default/serviceaccounts/default"


@dataclass(frozen=True)
class Wish:
    """What `up` was asked for."""

    name: str
    kind: Kind
    simulated_nodes: int = 0
    audit_log: bool = False
    network_policies: bool = False
    limits: Limits | None = None

    def refuse_nonsense(self) -> None:
        """Refuse what cannot be carried out."""
        checked_name(self.name)
        if not 0 <= self.simulated_nodes <= simulator.MOST_NODES:
            raise RefusedInputError(f"--simulated-nodes {self.simulated_nodes}: 0 to {simulator.MOST_NODES}")
        if self.network_policies and self.kind is not Kind.NODE:
            raise RefusedInputError("--network-policies is for a whole node; simulated pods have no network")
        if self.limits is not None and not 0 < self.limits.qps <= self.limits.burst:
            raise RefusedInputError(
                f"--kube-api-qps {self.limits.qps} --kube-api-burst {self.limits.burst}: at least 1, "
                "and the burst not below the qps"
            )


def up(registry: Registry, cache: Path, wish: Wish, say: Say) -> ClusterRecord:
    """Have the cluster running; one that runs already is left as it is."""
    wish.refuse_nonsense()
    registry.folder(wish.name).refuse_if_too_long()
    if wish.kind is Kind.NODE:
        requirements.need_root("a whole node")
    with registry.cluster_lock(wish.name):
        if (running := _running(registry, wish.name)) is not None:
            say(f"cluster {wish.name!r} runs already ({running.kind}, {running.server}); nothing was changed")
            return running
        if wish.kind is Kind.NODE:
            requirements.ensure((*requirements.NODE_TOOLS, *(requirements.POLICY_TOOLS * wish.network_policies)))
        parts = builds.CONTROL_PLANE if wish.kind is Kind.CONTROL_PLANE else builds.WHOLE_NODE
        programs = builds.build(cache, parts | ({Part.KUBE_ROUTER} if wish.network_policies else set()))
        if take_down(registry, wish.name):
            say(f"removed what was left of an earlier {wish.name!r}")
        try:
            return _start(registry, cache, programs, wish, say)
        except BaseException:
            say(f"the start failed; taking {wish.name!r} down")
            try:
                take_down(registry, wish.name)
            except DevclusterError as error:
                # Said, not raised: the reason of the failure matters more.
                say(f"warning: {error}")
            raise


def _running(registry: Registry, name: str) -> ClusterRecord | None:
    """The cluster if it runs; `DamagedClusterError` if it ran and parts of it have ended."""
    record = registry.find(name)
    if record is None or record.state is not State.RUNNING:
        return None
    alive, ended = living(ProcessTable(registry.folder(name).processes))
    if not alive:
        # As after the machine was switched off: nothing of it can be used, so it is started anew.
        return None
    if ended:
        raise DamagedClusterError(name, [started.component for started in ended])
    return record


def _allocate(registry: Registry, wish: Wish) -> ClusterRecord:
    with registry.allocation_lock():
        others = registry.all()
        if wish.kind is Kind.NODE:
            network.refuse_taken(namespace_of(wish.name))
            taken = [*(other.index for other in others if other.index is not None), *network.links_in_use()]
            index = free_link(taken, network.addresses_in_use()).index
            ports = IN_OWN_NAMESPACE
        else:
            index = None
            ports = free_ports([other.ports for other in others if other.kind is Kind.CONTROL_PLANE])
        record = ClusterRecord(
            name=wish.name,
            kind=wish.kind,
            state=State.STARTING,
            ports=ports,
            index=index,
            simulated_nodes=wish.simulated_nodes,
            audit_log=wish.audit_log,
            limits=wish.limits,
        )
        registry.write(record)
    return record


def _start(registry: Registry, cache: Path, programs: Programs, wish: Wish, say: Say) -> ClusterRecord:
    record = _allocate(registry, wish)
    folder = registry.folder(wish.name)
    keys = control_plane.write_keys(record, folder)
    if record.link is None:
        launcher = Launcher(folder)
        api = _start_control_plane(record, folder, programs, keys, launcher)
    else:
        network.make(record, record.link)
        launcher = Launcher(folder, network.enter(record))
        whole_node.make_volumes_folder(folder)
        launcher.start(whole_node.containerd(record, folder))
        api = _start_control_plane(record, folder, programs, keys, launcher)
        _start_node(record, record.link, folder, _NodeParts(cache, programs, keys), launcher, api)
        if wish.network_policies:
            launcher.start(whole_node.kube_router(record, folder, programs, keys))
    if record.simulated_nodes:
        _simulate_nodes(record, folder, programs, launcher, api)
    # Pods are refused before the namespace's service account is there.
    launcher.wait("kube-controller-manager", "making service accounts", lambda: api.exists(DEFAULT_NAMESPACE_ACCOUNT))
    launcher.check()
    api.close()
    record = record.running()
    registry.write(record)
    say(f"cluster {record.name!r} is up: {record.server}")
    return record


def _start_control_plane(
    record: ClusterRecord, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys, launcher: Launcher
) -> ApiClient:
    # The API server tries until etcd answers, so that both start at once.
    launcher.start(control_plane.etcd(record, folder, programs))
    launcher.start(control_plane.apiserver(record, folder, programs, keys))
    api = ApiClient(record, folder)
    launcher.wait("kube-apiserver", "ready", api.ready)
    launcher.start(control_plane.controller_manager(record, folder, programs, keys))
    launcher.start(control_plane.scheduler(record, folder, programs))
    return api


@dataclass(frozen=True)
class _NodeParts:
    cache: Path
    programs: Programs
    keys: ControlPlaneKeys


def _start_node(  # noqa: PLR0917 - the order is that of every start function here
    record: ClusterRecord, link: Link, folder: RunFolder, parts: _NodeParts, launcher: Launcher, api: ApiClient
) -> None:
    for path, manifest in whole_node.addons(link):
        api.create(path, manifest)
    launcher.wait("containerd", "answering", lambda: _containerd_answers(folder))
    images.load(folder, builds.pause_archive(parts.cache).path / "image.tar")
    launcher.start(whole_node.kubelet(record, link, folder, parts.programs, parts.keys))
    launcher.start(whole_node.kube_proxy(record, folder, parts.programs, parts.keys))
    launcher.start(whole_node.coredns(record, link, folder, parts.programs, parts.keys))
    launcher.wait(
        "kubelet",
        "reporting its node ready",
        lambda: any(node.ready and node.name == record.node_name for node in api.nodes()),
    )
    launcher.wait("coredns", "ready", lambda: _dns_is_ready(link))


def _containerd_answers(folder: RunFolder) -> bool:
    try:
        run([requirements.find_command("ctr") or "ctr", "--address", folder.containerd_socket, "version"], deadline=5)
    except ProgramError:
        return False
    return True


def _dns_is_ready(link: Link) -> bool:
    try:
        connection = http.client.HTTPConnection(str(link.node), whole_node.DNS_READY_PORT, timeout=2)
        connection.request("GET", "/ready")
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException):
        return False
    return status == http.HTTPStatus.OK


def _simulate_nodes(
    record: ClusterRecord, folder: RunFolder, programs: Programs, launcher: Launcher, api: ApiClient
) -> None:
    for index in range(record.simulated_nodes):
        api.create(simulator.NODES, simulator.node(index, record.kind))
    launcher.start(simulator.kwok(record, folder, programs))

    def all_ready() -> bool:
        return sum(node.simulated and node.ready for node in api.nodes()) == record.simulated_nodes

    launcher.wait("kwok", "reporting its nodes ready", all_ready)
