"""The inner loop: the operator from the checkout against a control plane of its own, until Ctrl-C.

Run as `python -m tools.dev`. There is no kubelet: simulated nodes end each collector's pod at once,
without a receipt; what collectors do is seen in `make test-cluster` and `make demo`.
"""

import contextlib
import subprocess
import sys
from pathlib import Path

import click
import yaml

from tools.images import COLLECTOR, OPERATOR
from tools.shell import ROOT, ProgramError, ask, devcluster, exports, show

CLUSTER = "dev"
NAMESPACE = "default"


def prepare(environment: dict[str, str]) -> Path:
    """Install the chart's accounts and rights, and return a kubeconfig of the operator's account."""
    settings = f"image.repository={OPERATOR.name},image.tag=dev,replicas=0,fullnameOverride=novahunt"
    collector = f"collector.image.repository={COLLECTOR.name},collector.image.tag=dev"
    words = ["upgrade", "--install", "novahunt", "charts/novahunt", "--namespace", NAMESPACE]
    ask(["helm", *words, "--set", settings, "--set", collector], environment=environment)
    token = ask(["kubectl", "create", "token", "novahunt", "--duration=8h"], environment=environment).strip()
    admin = Path(environment["KUBECONFIG"])
    config = yaml.safe_load(admin.read_text())
    config["users"] = [{"name": "operator", "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = "operator"
    own = admin.with_name("operator.kubeconfig")
    own.touch(mode=0o600)
    own.write_text(yaml.safe_dump(config))
    return own


def run(environment: dict[str, str], kubeconfig: Path) -> None:
    """Run the operator in the foreground."""
    settings = {
        "KUBECONFIG": str(kubeconfig),
        "NOVAHUNT_OPERATOR_NAMESPACE": NAMESPACE,
        "NOVAHUNT_POD_NAME": "from-the-checkout",
        "NOVAHUNT_LEASE_NAME": "novahunt-leader",
        "NOVAHUNT_COLLECTOR_IMAGE": f"{COLLECTOR.name}:dev",
        "NOVAHUNT_INTAKE_URL": "http://127.0.0.1:8090",
        "NOVAHUNT_LOG_FORMAT": "text",
        "WORKER_MAX_JOBS_PER_INTERVAL": "0",
    }
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run([sys.executable, "-m", "novahunt_operator"], cwd=ROOT, env=environment | settings, check=False)


@click.command()
def main() -> None:
    """Run the operator from the checkout against a control plane of its own."""
    try:
        show(devcluster("up", "--control-plane", "--simulated-nodes", "1", "--name", CLUSTER))
        try:
            environment = exports(ask(devcluster("env", "--name", CLUSTER)))
            kubeconfig = prepare(environment)
            click.echo(
                "\nIn another terminal:\n"
                f'  eval "$($(scripts/venv)/bin/python -m devcluster env --name {CLUSTER})"\n'
                "  kubectl apply -f examples/demo.yaml && kubectl get dcol -w\n"
                "Ctrl-C stops the operator and takes the control plane down.\n"
            )
            run(environment, kubeconfig)
        finally:
            show(devcluster("down", "--name", CLUSTER))
    except ProgramError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
