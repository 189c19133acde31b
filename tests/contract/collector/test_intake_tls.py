"""The intake behind TLS: checked by what the Job was told, for the Service's name, and across renewals."""

import asyncio
import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.collector.failing_intake import FailingIntake, running
from contract.collector.running import DOMAIN, collect, environ, run_process
from hunter_simulator import Simulator
from novahunt_contract import environment as names
from novahunt_contract.exitcodes import ExitCode
from novahunt_contract.outcomes import Reason
from novahunt_operator.authority import Pair, issue, new_authority

SERVICE = "intake.sales.svc"


def now() -> datetime:
    return datetime.now(UTC)


def served(pair: Pair, context: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Return what serves with a certificate, or let something that does show another one."""
    context = context or ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pair.certificate_pem + pair.key_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def told(intake: FailingIntake, folder: Path, *authorities: Pair) -> dict[str, str]:
    """Return what a Job's pod would be told."""
    trusted = "".join(one.certificate_pem.decode() for one in authorities)
    return intake.environ(folder) | {names.INTAKE_AUTHORITIES: trusted}


async def test_the_certificate_is_for_the_services_name_whichever_address_is_asked(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolve(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        return await real("127.0.0.2" if host == SERVICE else host, port, *arguments, **options)

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    authority = new_authority(now())
    async with running(FailingIntake(), "127.0.0.2", tls=served(issue(authority, [SERVICE], now()))) as intake:
        intake.url = intake.url.replace("127.0.0.2", SERVICE)
        result = await collect(simulator, tmp_path / "c", told(intake, tmp_path, authority))
    assert result.receipt.reason is Reason.COLLECTED
    assert [call.wanted for call in intake.calls] == [True, False]


async def test_a_run_survives_a_renewal_and_the_next_authority(simulator: Simulator, tmp_path: Path) -> None:
    simulator.set_domain(DOMAIN, 50)
    old, new = new_authority(now()), new_authority(now())
    context = served(issue(old, ["127.0.0.1"], now()))
    async with running(FailingIntake(), tls=context) as intake:
        environment = told(intake, tmp_path, new, old)
        await collect(simulator, tmp_path / "1", environment)
        served(issue(old, ["127.0.0.1"], now()), context)
        await collect(simulator, tmp_path / "2", environment)
        served(issue(new, ["127.0.0.1"], now()), context)
        await collect(simulator, tmp_path / "3", environment)
    assert [call.wanted for call in intake.calls] == [True, False] * 3


@pytest.mark.parametrize("host", ["127.0.0.1", "intake.elsewhere.svc"])
async def test_one_that_can_not_be_trusted_counts_as_away_and_is_told_nothing(
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    host: str,
) -> None:
    monkeypatch.setattr("novahunt_collector.intake_pace.MINUTE_SECONDS", 0.2)
    trusted = new_authority(now())
    signer = new_authority(now()) if host == "127.0.0.1" else trusted
    async with running(FailingIntake(), tls=served(issue(signer, [host], now()))) as intake:
        result = await collect(simulator, tmp_path / "c", told(intake, tmp_path, trusted))
    assert result.receipt.reason is Reason.COLLECTED
    assert intake.tokens == []
    assert caplog.text.count("the certificate of the operator's intake is refused") == 1


async def test_certificates_that_are_none_are_named(simulator: Simulator, tmp_path: Path) -> None:
    async with running(FailingIntake()) as intake:
        environment = environ(simulator, tmp_path / "c", **intake.environ(tmp_path))
    process = await run_process([DOMAIN], environment | {names.INTAKE_AUTHORITIES: "no PEM"}, tmp_path)
    assert process.code == ExitCode.USAGE
    assert f"{names.INTAKE_AUTHORITIES} must hold certificates as PEM" in process.log
