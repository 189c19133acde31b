"""The command lines of the control plane: etcd, API server, controller-manager and scheduler."""

from dataclasses import dataclass
from typing import Final

from devcluster.allocation import API_SERVICE, PODS, SERVICES
from devcluster.certificates import ControlPlaneKeys, Identity, control_plane_keys
from devcluster.kubeconfigs import write_kubeconfig
from devcluster.paths import CONFIG, RunFolder
from devcluster.programs import Programs
from devcluster.record import ClusterRecord, Kind

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"

ADMIN: Final = Identity("devcluster-admin", groups=("system:masters",))
"""The installer of the cluster; everything else has only the rights that Kubernetes' own roles give it."""

IDENTITIES: Final = {
    "kube-controller-manager": Identity("system:kube-controller-manager"),
    "kube-scheduler": Identity("system:kube-scheduler"),
    # It stands for many kubelets and is a tool of the tests, not a part under test.
    "kwok": Identity("devcluster-simulator", groups=("system:masters",)),
}


@dataclass(frozen=True)
class Command:
    """The name of a component, which is also that of its log, and its command line."""

    component: str
    argv: tuple[str, ...]


def api_hosts(record: ClusterRecord) -> list[str]:
    """Every name and address under which somebody reaches the API server."""
    service = ("kubernetes", "default", "svc", "cluster", "local")
    names = [".".join(service[:length]) for length in range(1, len(service) + 1)]
    return ["127.0.0.1", *([] if record.link is None else [record.api_host]), API_SERVICE, "localhost", *names]


def write_keys(record: ClusterRecord, folder: RunFolder) -> ControlPlaneKeys:
    """Make all keys and kubeconfigs of the control plane."""
    keys = control_plane_keys(folder.pki, api_hosts(record))
    for component, identity in IDENTITIES.items():
        write_identity(record, folder, keys, component, identity)
    write_kubeconfig(
        folder.admin_kubeconfig,
        cluster=record.name,
        server=record.server,
        authority=keys.authority.file,
        user=ADMIN.user,
        pair=keys.authority.issue("admin", ADMIN),
    )
    return keys


def write_identity(
    record: ClusterRecord, folder: RunFolder, keys: ControlPlaneKeys, component: str, identity: Identity
) -> None:
    """Make the key and kubeconfig of one component."""
    write_kubeconfig(
        folder.kubeconfig(component),
        cluster=record.name,
        server=record.server,
        authority=keys.authority.file,
        user=identity.user,
        pair=keys.authority.issue(component, identity),
    )


def etcd(record: ClusterRecord, folder: RunFolder, programs: Programs) -> Command:
    """The store, on loopback only, without waiting for the disk: a development cluster's data is thrown away."""
    client = f"http://127.0.0.1:{record.ports.etcd}"
    peer = f"http://127.0.0.1:{record.ports.etcd_peer}"
    return Command(
        "etcd",
        (
            str(programs.component("etcd")),
            f"--name={record.name}",
            f"--data-dir={folder.path / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={record.name}={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
    )


def apiserver(record: ClusterRecord, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys) -> Command:
    """The API server with real authentication, Node and RBAC authorisation and the default admission plugins."""
    audit = (
        (
            f"--audit-policy-file={CONFIG / 'audit-policy.yaml'}",
            f"--audit-log-path={folder.audit_log}",
        )
        if record.audit_log
        else ()
    )
    alone = record.kind is Kind.CONTROL_PLANE
    return Command(
        "kube-apiserver",
        (
            str(programs.component("kube-apiserver")),
            # All addresses of a whole node's own network namespace; of the machine itself only loopback.
            f"--bind-address={'127.0.0.1' if alone else '0.0.0.0'}",  # noqa: S104
            f"--advertise-address={record.api_host}",
            # Loopback is refused as an endpoint of the Service `kubernetes`, and without pods nobody asks for it.
            f"--endpoint-reconciler-type={'none' if alone else 'lease'}",
            f"--secure-port={record.ports.api}",
            f"--etcd-servers=http://127.0.0.1:{record.ports.etcd}",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            f"--client-ca-file={keys.authority.file}",
            f"--tls-cert-file={keys.apiserver.certificate}",
            f"--tls-private-key-file={keys.apiserver.key}",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={keys.service_account.certificate}",
            f"--service-account-signing-key-file={keys.service_account.key}",
            f"--kubelet-certificate-authority={keys.authority.file}",
            f"--kubelet-client-certificate={keys.kubelet_client.certificate}",
            f"--kubelet-client-key={keys.kubelet_client.key}",
            # The node's name is in no DNS that the API server asks.
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={keys.front_proxy.file}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={keys.proxy_client.certificate}",
            f"--proxy-client-key-file={keys.proxy_client.key}",
            *audit,
        ),
    )


def controller_manager(record: ClusterRecord, folder: RunFolder, programs: Programs, keys: ControlPlaneKeys) -> Command:
    """All controllers, each with its own service account and rights."""
    kubeconfig = folder.kubeconfig("kube-controller-manager")
    limits = (
        ()
        if record.limits is None
        else (f"--kube-api-qps={record.limits.qps}", f"--kube-api-burst={record.limits.burst}")
    )
    return Command(
        "kube-controller-manager",
        (
            str(programs.component("kube-controller-manager")),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={record.ports.controllers}",
            f"--client-ca-file={keys.authority.file}",
            f"--requestheader-client-ca-file={keys.front_proxy.file}",
            f"--root-ca-file={keys.authority.file}",
            f"--cluster-signing-cert-file={keys.authority.file}",
            f"--cluster-signing-key-file={keys.authority.key_file}",
            f"--service-account-private-key-file={keys.service_account.key}",
            "--use-service-account-credentials",
            "--allocate-node-cidrs",
            f"--cluster-cidr={PODS}",
            f"--service-cluster-ip-range={SERVICES}",
            "--leader-elect=false",
            # Otherwise it makes a folder of the system's, which nothing here would ever remove.
            f"--flex-volume-plugin-dir={folder.path / 'plugins'}",
            *limits,
        ),
    )


def scheduler(record: ClusterRecord, folder: RunFolder, programs: Programs) -> Command:
    """The scheduler as Kubernetes ships it."""
    kubeconfig = folder.kubeconfig("kube-scheduler")
    return Command(
        "kube-scheduler",
        (
            str(programs.component("kube-scheduler")),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={record.ports.scheduler}",
            "--leader-elect=false",
        ),
    )
