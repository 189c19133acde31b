"""What the tests of sweeps share: documents with chosen people in them, and sweeps as real processes."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from contract.collector.failing_intake import FailingIntake
from contract.collector.planted import traces
from contract.collector.running import started
from novahunt_collector import settings
from novahunt_contract import document as documents
from novahunt_contract import environment as names
from novahunt_contract import errands
from novahunt_contract.document import Document, Item, Source
from novahunt_contract.errands import ErrandReceipt

JANE = "jane.doe@example.com"
COLLECTED = "2026-11-20T12:00:00.000Z"


class Swept(msgspec.Struct, frozen=True):
    """How a sweep ended."""

    code: int
    receipt: ErrandReceipt
    log: str
    output: bytes


def document(domain: str = "example.com", *emails: str, collected_at: str = COLLECTED, run: int = 3) -> Document:
    """Return a document of these people, or of Jane and two others."""
    emails = emails or (f"ada@{domain}", JANE, f"zoe@{domain}")
    return Document(
        domain=domain,
        items=tuple(item(email) for email in emails),
        total=len(emails),
        stored_at="2026-11-20T12:00:09.000Z",
        collected_at=collected_at,
        job_id=f"collect-{domain}-1795521600000",
        collection="q4",
        run=run,
        reported=len(emails),
        search_hash="v1-44136fa355b3678a",
        credits=1,
        requests=1,
        page_size=100,
        pages=(100,),
    )


def item(email: str) -> Item:
    source = Source(uri=f"https://www.example.org/about#{email}", extracted_on="2026-01-08")
    return Item(email, None, None, 0.9, source.uri, sources=(source,))


def put(folder: Path, *stored: Document) -> None:
    """Store documents as a collector would."""
    folder.mkdir(exist_ok=True)
    for one in stored:
        (folder / documents.file_name(one.domain)).write_bytes(documents.encode(one))


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def sweep_environ(folder: Path | str, *more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a sweep that does not dawdle; it knows no key."""
    whole = {
        names.TASK: "sweep",
        names.STORAGE: str(folder),
        names.COLLECTION: "q4",
        names.JOB_ID: "sweep-q4-1",
        settings.BACKOFF_BASE_SECONDS: "0.001",
        settings.BACKOFF_CAP_SECONDS: "0.01",
        settings.STORAGE_PATIENCE_SECONDS: "20",
    }
    for one in more:
        whole |= one
    return whole


@asynccontextmanager
async def sweeping(
    environment: Mapping[str, str], place: Path, prefix: Sequence[str] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a sweep."""
    async with started([], environment, place, prefix=prefix) as process:
        yield process


async def swept(process: asyncio.subprocess.Process, place: Path) -> Swept:
    """Wait for the end of a sweep, and read what it says."""
    output, log = await process.communicate()
    code = process.returncode if process.returncode is not None else -1
    return Swept(code, errands.decode((place / "receipt").read_bytes()), log.decode(), output)


async def sweep(environment: Mapping[str, str], place: Path, prefix: Sequence[str] = ()) -> Swept:
    """Sweep to the end."""
    async with sweeping(environment, place, prefix) as process:
        return await swept(process, place)


def no_traces(folder: Path, place: Path, intake: FailingIntake, *ends: Swept) -> bool:
    """Tell that nothing below the folders, told to the intake or said by a sweep names Jane."""
    texts = [text for end in ends for text in (end.log, end.output, msgspec.json.encode(end.receipt))]
    assert traces(JANE, folder, place, intake.heard, *texts) == []
    return True
