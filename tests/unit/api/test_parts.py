"""The form of a document in ConfigMaps: plain, packed or in parts, and whole again when it is read."""

import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novahunt_api.parts import PACK_ABOVE, PART_BYTES, DamagedDocumentError, Parts, join, split
from novahunt_api.wire import ConfigMapObject, Meta

DOMAIN = "example.com"


def maps(parts: Parts) -> list[ConfigMapObject]:
    """Return the ConfigMaps as the API server gives them back."""
    fields = [parts.fields(number) for number in range(len(parts.contents))]
    return [ConfigMapObject(Meta("m"), one.get("data", {}), one.get("binaryData", {})) for one in fields]


def noise(size: int) -> bytes:
    """Return bytes that can't be packed."""
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    ("data", "key", "parts"),
    [
        (b"{}", "example.com.json", 1),
        (b"x" * 15 * 1024, "example.com.json", 1),
        (b"x" * PACK_ABOVE, "example.com.json", 1),
        (b"x" * (PACK_ABOVE + 1), "example.com.json.gz", 1),
        (b"x" * 17 * 1024, "example.com.json.gz", 1),
        (noise(PART_BYTES), "example.com.json.gz", 2),
        (noise(2 * 2**20), "example.com.json.gz", 3),
    ],
    ids=["tiny", "15 KiB", "just plain", "just packed", "17 KiB", "more than 900 KiB packed", "2 MiB packed"],
)
def test_the_form_follows_the_size_and_what_is_read_back_is_what_was_stored(data: bytes, key: str, parts: int) -> None:
    found = split(DOMAIN, data)
    assert (found.key, len(found.contents)) == (key, parts)
    assert all(len(content) <= PART_BYTES for content in found.contents)
    assert join(found.key, maps(found)) == data


def test_what_it_takes_is_counted_after_packing() -> None:
    data = b"x" * 100_000
    assert split(DOMAIN, data).size == len(gzip.compress(data, mtime=0)) < 1000
    assert split(DOMAIN, b"x" * 100).size == 100


@given(st.text(max_size=20_000))
def test_the_same_document_always_has_the_same_parts(text: str) -> None:
    data = text.encode()
    assert split(DOMAIN, data) == split(DOMAIN, data)
    assert join(split(DOMAIN, data).key, maps(split(DOMAIN, data))) == data


def test_a_domain_too_long_for_a_key_gets_a_hash_in_its_place() -> None:
    longest = ".".join(["x" * 60] * 4) + ".example"
    key = split(longest, b"{}").key
    assert key.endswith(".json")
    assert len(key) < 30


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_packed_document_without_one_of_its_parts_is_damaged(gone: int) -> None:
    found = split(DOMAIN, noise(2 * 2**20))
    left = [one for number, one in enumerate(maps(found)) if number != gone]
    with pytest.raises(DamagedDocumentError):
        join(found.key, left)


def test_a_part_that_holds_something_else_is_damage() -> None:
    found = split(DOMAIN, noise(20_000))
    other = ConfigMapObject(Meta("m"), {}, {found.key: "AAAA"})
    with pytest.raises(DamagedDocumentError):
        join(found.key, [other])
