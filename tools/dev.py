"""The inner loop: the operator from the checkout against a control plane of its own, until Ctrl-C.

Run as `python -m tools.dev`. Collectors run from the checkout too, as processes that the tests' player
of the kubelet starts, and ask the simulator in Hunter's place.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from pathlib import Path

import click
from kubernetes.aio import client, config

from cluster.process_kubelet import ProcessKubelet
from hunter_simulator import DEFAULT_KEY, running_simulator
from hunter_simulator.settings import read_config
from novahunt_api.cluster import Cluster
from tools.accounts import write_kubeconfig
from tools.images import COLLECTOR, OPERATOR
from tools.shell import ROOT, ProgramError, ask, devcluster, exports, show

CLUSTER = "dev"
NAMESPACE = "default"


def prepare(environment: dict[str, str]) -> Path:
    """Install the chart's accounts and rights and a key, and return a kubeconfig of the operator's account."""
    settings = f"image.repository={OPERATOR.name},image.tag=dev,replicas=0,fullnameOverride=novahunt"
    collector = f"collector.image.repository={COLLECTOR.name},collector.image.tag=dev"
    words = ["upgrade", "--install", "novahunt", "charts/novahunt", "--namespace", NAMESPACE]
    ask(["helm", *words, "--set", settings, "--set", collector], environment=environment)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hunter-api-key", "namespace": NAMESPACE},
        "stringData": {"HUNTER_API_KEY": DEFAULT_KEY},
    }
    ask(["kubectl", "apply", "-f", "-"], environment=environment, stdin=json.dumps(secret))
    token = ask(["kubectl", "create", "token", "novahunt", "--duration=8h"], environment=environment).strip()
    admin = Path(environment["KUBECONFIG"])
    own = admin.with_name("operator.kubeconfig")
    write_kubeconfig(own, admin=admin, token=token)
    return own


async def run(environment: dict[str, str], kubeconfig: Path) -> None:
    """Run simulator, player of the kubelet and operator, until the operator ends."""
    configuration = client.Configuration()
    await config.load_kube_config(environment["KUBECONFIG"], client_configuration=configuration)
    admin = Cluster(client.ApiClient(configuration))
    world = read_config(ROOT / "tests/hunter_simulator/demo.json")
    with tempfile.TemporaryDirectory(prefix="novahunt-dev-") as volume:
        async with running_simulator(world) as simulator:
            kubelet = asyncio.create_task(ProcessKubelet(admin, NAMESPACE, Path(volume)).run())
            settings = {
                "KUBECONFIG": str(kubeconfig),
                "NOVAHUNT_OPERATOR_NAMESPACE": NAMESPACE,
                "NOVAHUNT_POD_NAME": "from-the-checkout",
                "NOVAHUNT_LEASE_NAME": "novahunt-leader",
                "NOVAHUNT_COLLECTOR_IMAGE": f"{COLLECTOR.name}:dev",
                "NOVAHUNT_INTAKE_URL": "https://127.0.0.1:8090",
                "NOVAHUNT_CERTIFICATE_SECRET": "novahunt-certificate",
                "NOVAHUNT_LOG_FORMAT": "text",
                "HUNTER_BASE_URL": simulator.base_url,
                "WORKER_MAX_JOBS_PER_INTERVAL": "0",
            }
            operator = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "novahunt_operator", cwd=ROOT, env=environment | settings
            )
            try:
                await operator.wait()
            finally:
                if operator.returncode is None:
                    operator.terminate()
                    await operator.wait()
                kubelet.cancel()
                await asyncio.gather(kubelet, return_exceptions=True)
                await admin.close()


@click.command()
def main() -> None:
    """Run the operator from the checkout against a control plane of its own."""
    try:
        show(devcluster("up", "--control-plane", "--name", CLUSTER))
        try:
            environment = exports(ask(devcluster("env", "--name", CLUSTER)))
            kubeconfig = prepare(environment)
            click.echo(
                "\nIn another terminal:\n"
                f'  eval "$($(scripts/venv)/bin/python -m devcluster env --name {CLUSTER})"\n'
                "  kubectl apply -f examples/demo.yaml && kubectl get dcol -w\n"
                "Ctrl-C stops the operator and takes the control plane down.\n"
            )
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(run(environment, kubeconfig))
        finally:
            show(devcluster("down", "--name", CLUSTER))
    except ProgramError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
