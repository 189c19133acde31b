"""What comes over the wire byte by byte: bounds that hold when it is packed, and bodies that break off anywhere."""

import tracemalloc
import zlib
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from contract.collector.raw_hunter import ANSWER, RawHunter, http, packed, raw_hunter
from contract.collector.running import DOMAIN, Ended, collect_with
from novahunt_collector.hunter import MAX_ANSWER_BYTES, MAX_REFUSAL_BYTES
from novahunt_contract.outcomes import Reason

MIB = 1024 * 1024
GOOD = http(ANSWER)


async def run(hunter: RawHunter, folder: Path, **more: str) -> Ended:
    environment = {
        "HUNTER_API_KEY": "k",
        "HUNTER_BASE_URL": hunter.base_url,
        "NOVAHUNT_STORAGE": str(folder),
        "HUNTER_REQUESTS_PER_SECOND": "10000",
        "HUNTER_REQUESTS_PER_MINUTE": "100000",
        "NOVAHUNT_BACKOFF_BASE_SECONDS": "0.001",
        "NOVAHUNT_BACKOFF_CAP_SECONDS": "0.01",
        "NOVAHUNT_MAX_FAILURES": "3",
        **more,
    }
    return await collect_with(environment, folder, domain=DOMAIN)


async def assert_asked_again(first: bytes | Iterator[bytes], folder: Path) -> None:
    async with raw_hunter(first, GOOD) as hunter:
        ended = await run(hunter, folder)
    assert ended.receipt.reason is Reason.COLLECTED
    assert (ended.receipt.items, ended.receipt.requests) == (1, 2)


def blanks(size: int) -> bytes:
    return ANSWER + b" " * (size - len(ANSWER))


async def test_a_body_of_exactly_16_mib_is_read(folder: Path) -> None:
    async with raw_hunter(http(blanks(MAX_ANSWER_BYTES))) as hunter:
        ended = await run(hunter, folder)
    assert (ended.receipt.reason, ended.receipt.requests) == (Reason.COLLECTED, 1)


async def test_one_byte_more_is_too_large(folder: Path) -> None:
    await assert_asked_again(http(blanks(MAX_ANSWER_BYTES + 1)), folder)


async def test_a_packed_body_of_16_mib_is_read_and_one_byte_more_is_too_large(folder: Path) -> None:
    gzipped = {"Content-Encoding": "gzip"}
    async with raw_hunter(http(packed(blanks(MAX_ANSWER_BYTES)), headers=gzipped)) as hunter:
        ended = await run(hunter, folder)
    assert (ended.receipt.reason, ended.receipt.requests) == (Reason.COLLECTED, 1)
    await assert_asked_again(http(packed(blanks(MAX_ANSWER_BYTES + 1)), headers=gzipped), folder / "more")


@pytest.mark.parametrize(
    ("status", "size", "times"),
    [("200 OK", 256 * MIB, 1), ("200 OK", 512 * MIB, 2), ("503 Service Unavailable", 256 * MIB, 1)],
)
async def test_a_bomb_is_never_unpacked_beyond_the_bound(folder: Path, status: str, size: int, times: int) -> None:
    bomb = _bomb(size, times)
    assert len(bomb) < 2 * MIB
    await run_quietly(folder)
    tracemalloc.start()
    try:
        await assert_asked_again(http(bomb, status, {"Content-Encoding": ", ".join(["gzip"] * times)}), folder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_ANSWER_BYTES


async def run_quietly(folder: Path) -> None:
    """Pay for imports and caches before memory is measured."""
    async with raw_hunter(GOOD) as hunter:
        await run(hunter, folder / "before")


async def test_an_endless_body_ends_at_the_bound(folder: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    def endless() -> Iterator[bytes]:
        yield head
        yield from repeat(chunk)

    await assert_asked_again(endless(), folder)


async def test_an_endless_refusal_counts_by_its_status_after_64_kib(folder: Path) -> None:
    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 402 Payment Required\r\nTransfer-Encoding: chunked\r\n\r\n"
        yield from repeat(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    async with raw_hunter(endless()) as hunter:
        ended = await run(hunter, folder)
    assert ended.receipt.reason is Reason.QUOTA_EXHAUSTED
    assert MAX_REFUSAL_BYTES == 64 * 1024


async def test_a_403_of_hunters_that_breaks_off_is_still_too_fast(folder: Path) -> None:
    body = b'{"errors": [{"id": "too_many_requests", "code": 403, "details": "Too many requ'
    await assert_asked_again(http(body, "403 Forbidden", length=500), folder)


async def test_a_packed_403_of_hunters_is_too_fast_and_so_is_one_that_breaks_off_while_packed(folder: Path) -> None:
    body = packed(
        b'{"errors": [{"id": "too_many_requests", "code": 403, "details": "' + bytes(range(32, 127)) + b'"}]}'
    )
    headers = {"Content-Encoding": "gzip"}
    await assert_asked_again(http(body, "403 Forbidden", headers), folder)
    await assert_asked_again(http(body[:-12], "403 Forbidden", headers, length=len(body)), folder / "cut")


@pytest.mark.parametrize("moment", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "soon", "-1"])
async def test_a_retry_after_in_the_past_or_none_at_all_leaves_the_wait_to_the_backoff(
    moment: str, folder: Path
) -> None:
    body = b'{"error": {"id": "too_many_requests", "code": 403}}'
    await assert_asked_again(http(body, "403 Forbidden", {"Retry-After": moment}), folder)


async def test_a_403_whose_connection_ends_before_the_body_is_a_refused_client(folder: Path) -> None:
    async with raw_hunter(http(b"", "403 Forbidden", length=500)) as hunter:
        ended = await run(hunter, folder)
    assert (ended.receipt.reason, ended.receipt.requests) == (Reason.BAD_REQUEST, 1)


@pytest.mark.parametrize(
    "answer",
    [
        http(packed(ANSWER)[:-9], headers={"Content-Encoding": "gzip"}),
        http(packed(ANSWER)[:40], headers={"Content-Encoding": "gzip"}, length=200),
        http(ANSWER, headers={"Content-Encoding": "gzip"}),
        http(b"\x1f\x8b" + b"\0" * 90, headers={"Content-Encoding": "gzip"}),
        http(b"\x8b\x02\x80a brotli stream\x03", headers={"Content-Encoding": "br"}),
        http(packed(ANSWER, 2), headers={"Content-Encoding": "gzip, gzip"}),
    ],
    ids=["cut within", "cut on the way", "not packed at all", "garbage", "never asked for", "packed twice"],
)
async def test_a_body_that_can_not_be_unpacked_is_asked_for_again(answer: bytes, folder: Path) -> None:
    await assert_asked_again(answer, folder)


@pytest.mark.parametrize("coding", ["identity", "utf-8", "none", ""])
async def test_a_header_that_names_no_packing_changes_nothing(coding: str, folder: Path) -> None:
    async with raw_hunter(http(ANSWER, headers={"Content-Encoding": coding})) as hunter:
        assert (await run(hunter, folder)).receipt.requests == 1


async def test_only_gzip_is_asked_for(folder: Path) -> None:
    async with raw_hunter(GOOD) as hunter:
        await run(hunter, folder)
    (head,) = hunter.asked
    assert "accept-encoding: gzip\r\n" in head.lower()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["nothing", "half a line", "ssh", "status", "headers without end", "chunks", "length", "another protocol"],
)
async def test_what_is_no_http_is_asked_for_again(answer: bytes, folder: Path) -> None:
    await assert_asked_again(answer, folder)


async def test_a_body_that_ends_where_it_likes_is_never_half_believed(folder: Path) -> None:
    for number in range(0, len(ANSWER), 7):
        # No Content-Length: the end of the connection is the end of the body, so a cut can't be seen by its length.
        cut = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + ANSWER[:number]
        await assert_asked_again(cut, folder / str(number))


def _bomb(size: int, times: int) -> bytes:
    """Pack blanks piece by piece, so that the test itself needs no such memory."""
    packer = zlib.compressobj(1, wbits=31)
    pieces = [packer.compress(ANSWER), *(packer.compress(b" " * MIB) for _ in range(size // MIB)), packer.flush()]
    return packed(b"".join(pieces), times - 1)
