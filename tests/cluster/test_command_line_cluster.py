"""The command line as a person's program against a real control plane: what it does, says, and ends with."""

import asyncio
import csv
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from cluster.control_plane import ROOT, Answer
from cluster.world import World
from hunter_simulator import AnswerStatus, Fault, truth
from novahunt_cli.exits import Exit

pytestmark = pytest.mark.cluster

SECONDS = 90.0
ADDRESSES = {"small.example": 7, "other.example": 23}


async def novahunt(world: World, *arguments: str, stdin: str = "", more: Mapping[str, str] | None = None) -> Answer:
    """Run the program in the world's namespace."""
    program = await started(world, *arguments, more=more)
    try:
        async with asyncio.timeout(SECONDS):
            out, err = await program.communicate(stdin.encode())
    finally:
        if program.returncode is None:
            program.kill()
    return Answer(program.returncode or 0, out.decode(), err.decode())


async def started(world: World, *arguments: str, more: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    """Start the program in the world's namespace."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(world.plane.kubeconfig),
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("common", "cli")),
        **(more or {}),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "novahunt_cli",
        "-n",
        world.namespace,
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def fill(world: World) -> None:
    for domain, size in ADDRESSES.items():
        world.simulator.set_domain(domain, size)


def people(domain: str) -> list[str]:
    return [person.value for person in truth(domain, ADDRESSES[domain])]


async def test_a_list_is_collected_waited_for_listed_and_exported(world: World) -> None:
    fill(world)
    text = "domain\nsmall.example\nhttps://www.other.example/\nnothing\nsmall.example\n"
    made = await novahunt(world, "collect", "-f", "-", "--name", "leads", "--wait", "--timeout", "80", stdin=text)
    assert made.code == Exit.DONE, made
    assert "standard input line 4 'nothing'" in made.err
    assert "It is done" in made.err

    status = await novahunt(world, "status", "leads")
    assert status.code == Exit.DONE
    assert "2/2" in status.out
    as_json = json.loads((await novahunt(world, "status", "leads", "-o", "json")).out)
    assert as_json["status"]["domains"]["succeeded"] == 2
    assert (await novahunt(world, "status", "-o", "name")).out == "domaincollection.novahunt.io/leads\n"

    listed = await novahunt(world, "results", "leads")
    rows = [line.split() for line in listed.out.splitlines()]
    assert [row[:4] for row in rows[1:]] == [
        ["other.example", "Collected", "23", "3"],
        ["small.example", "Collected", "7", "1"],
    ]
    table = list(csv.DictReader((await novahunt(world, "export", "leads")).out.splitlines()))
    assert {row["email"] for row in table} == {address for domain in ADDRESSES for address in people(domain)}
    one = await novahunt(world, "export", "leads", "--domain", "Small.example", "-o", "jsonl")
    assert {json.loads(line)["email"] for line in one.out.splitlines()} == set(people("small.example"))
    file = world.folder / "leads.json"
    told = await novahunt(world, "export", "leads", "-o", "json", "--output", str(file))
    assert (told.out, told.err) == ("", "30 addresses of 2 domains\n")
    written = json.loads(file.read_text())
    assert [one["domain"] for one in written] == ["other.example"] * 23 + ["small.example"] * 7
    assert file.stat().st_mode & 0o777 == 0o600
    assert (await novahunt(world, "export", "leads", "--domain", "absent.example")).code == Exit.NOT_FOUND
    assert (await novahunt(world, "watch", "leads")).code == Exit.DONE
    assert "It is done" in (await novahunt(world, "why", "leads")).out
    assert (await novahunt(world, "collect", "small.example", "--name", "leads")).code == Exit.ERROR


async def test_what_is_suspended_is_explained_and_goes_on(world: World) -> None:
    fill(world)
    assert (await novahunt(world, "collect", "small.example", "--name", "calm", "--suspend")).code == Exit.DONE
    await world.until("calm", lambda found: found.condition("Suspended")[0] == "True", "suspended")
    told = await novahunt(world, "why", "calm")
    assert told.out.startswith("It is suspended.")
    assert f"novahunt -n {world.namespace} resume calm" in told.out
    assert (await novahunt(world, "resume", "calm")).code == Exit.DONE
    await world.ready("calm")
    assert (await novahunt(world, "suspend", "calm")).out == "domaincollection.novahunt.io/calm suspended\n"
    assert (await world.collection("calm")).metadata.generation == 3


async def test_a_missing_key_ends_the_waiting_with_what_helps(world: World) -> None:
    fill(world)
    options = ["--name", "keyless", "--key-secret", "absent/API", "--wait", "--timeout", "80"]
    told = await novahunt(world, "collect", "small.example", *options)
    assert told.code in (Exit.STALLED, Exit.TIMEOUT), told
    if told.code == Exit.STALLED:
        assert "create secret generic absent --from-literal=API=YOUR_KEY" in told.err


async def test_estimates_leave_nothing_behind(world: World) -> None:
    fill(world)
    told = await novahunt(world, "estimate", *ADDRESSES, "-o", "json", "--timeout", "80")
    assert told.code == Exit.DONE, told
    assert json.loads(told.out)["emails"] == sum(ADDRESSES.values())
    assert (await novahunt(world, "status", "-o", "name")).out == ""


async def test_an_address_is_forgotten_and_named_nowhere(world: World) -> None:
    fill(world)
    made = await novahunt(world, "collect", *ADDRESSES, "--name", "leads", "--wait", "--timeout", "80")
    assert made.code == Exit.DONE, made
    address = people("small.example")[0]

    refused = await novahunt(world, "forget", address)
    assert refused.code == Exit.USAGE
    assert "--create" in refused.err

    told = await novahunt(world, "forget", "-", "--create", stdin=address.upper() + "\n")
    assert told.code == Exit.DONE, told
    assert told.out == "leads: 1 address removed from 1 document in ConfigMaps\n"
    left = {item.email for item in (await world.documents("leads"))["small.example"].items}
    assert left == set(people("small.example")) - {address}

    whole = await novahunt(world, "forget", "@other.example")
    assert whole.out == "leads: 23 addresses removed from 1 document in ConfigMaps\n", whole
    assert not (await world.documents("leads"))["other.example"].items
    events = world.plane.kubectl("get", "events", "-n", world.namespace, "-o", "yaml")
    for said in (refused, told, whole):
        assert address not in (said.out + said.err).lower()
    assert address not in events + world.operator.log


async def test_failed_domains_give_a_code_and_are_retried(world: World) -> None:
    fill(world)
    claimed = AnswerStatus(status=451, error_id="claimed_email")
    world.simulator.add_fault(Fault(action=claimed, domain="claimed.example", times=None))
    made = await novahunt(world, "collect", "claimed.example", "small.example", "--name", "leads", "--wait")
    assert made.code == Exit.SOME_FAILED, made
    told = await novahunt(world, "why", "leads")
    assert "1 domain has failed." in told.out
    assert "1 by Claimed" in told.out

    assert (await novahunt(world, "retry", "leads")).code == Exit.DONE
    await world.until("leads", lambda found: bool(found.status.retry_failed_handled), "told to retry")
    assert (await novahunt(world, "watch", "leads", "--timeout", "60")).code in (Exit.DONE, Exit.SOME_FAILED)
    assert (await novahunt(world, "retry", "leads", "--all-domains")).code == Exit.DONE
    await world.until("leads", lambda found: found.status.recollect_handled is not None, "told to recollect")


async def test_waiting_has_an_end_of_its_own_and_leaves_cleanly(world: World) -> None:
    fill(world)
    world.operator.kill()
    told = await novahunt(world, "collect", "small.example", "--name", "leads", "--wait", "--timeout", "1")
    assert told.code == Exit.TIMEOUT, told
    assert "novahunt watch leads" in told.err
    assert (await novahunt(world, "why", "leads")).out.startswith("The operator has not seen this collection yet.")
    watching = await started(world, "watch", "leads")
    assert watching.stderr is not None
    assert await asyncio.wait_for(watching.stderr.readline(), SECONDS)
    watching.send_signal(signal.SIGINT)
    _, rest = await watching.communicate()
    assert (watching.returncode, rest.strip()) == (Exit.INTERRUPTED, b"")


async def test_what_is_not_there_or_not_allowed_has_its_own_code(world: World, tmp_path: Path) -> None:
    for command in ("status", "why", "results", "watch", "suspend"):
        told = await novahunt(world, command, "absent")
        assert told.code == Exit.NOT_FOUND, told
        assert "absent" in told.err
        assert told.err.count("\n") == 1

    world.plane.kubectl("create", "serviceaccount", "nobody", "-n", world.namespace)
    token = world.plane.kubectl("create", "token", "nobody", "-n", world.namespace).strip()
    config = yaml.safe_load(world.plane.kubeconfig.read_text())
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    file = tmp_path / "nobody"
    file.write_text(yaml.safe_dump(config))
    told = await novahunt(world, "status", more={"KUBECONFIG": str(file)})
    assert told.code == Exit.NOT_ALLOWED, told
    assert 'cannot list resource "domaincollections"' in told.err
    assert token not in told.err


async def test_kubectl_runs_it_as_its_plugin(world: World, tmp_path: Path) -> None:
    plugin = tmp_path / "kubectl-novahunt"
    start = "import sys; sys.argv[0] = 'kubectl-novahunt'; from novahunt_cli.__main__ import run; run()"
    folders = os.pathsep.join(str(ROOT / part) for part in ("common", "cli"))
    plugin.write_text(f'#!/bin/sh\nPYTHONPATH={folders} exec {sys.executable} -c "{start}" "$@"\n')
    plugin.chmod(0o755)
    world.apply("leads", ["small.example"], suspend=True)
    program = await asyncio.create_subprocess_exec(
        str(world.plane.kubectl_path),
        *("novahunt", "status", "-n", world.namespace, "-o", "name"),
        env={**world.plane.environment, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    assert (program.returncode, out) == (0, b"domaincollection.novahunt.io/leads\n")


async def test_a_dry_run_makes_nothing(world: World) -> None:
    told = await novahunt(world, "collect", "small.example", "--dry-run", "server", "-o", "json")
    assert json.loads(told.out)["spec"]["maxResults"] == 5000, "the schema's defaults are shown"
    assert (await novahunt(world, "status", "-o", "name")).out == ""
