"""Exports: each address once, whatever documents hold it, and little kept in memory."""

from collections.abc import AsyncIterator, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from novahunt_client.exports import Form, Found, export, merged
from novahunt_contract import tables
from novahunt_contract.document import Document, Item, Source
from novahunt_contract.merging import merge

A, B, C = "a.example", "b.example", "c.example"


def item(email: str, confidence: float = 0.5, page: str | None = None) -> Item:
    sources = (Source(page, last_seen_on="2026-05-22"),) if page else ()
    return Item(email, None, None, confidence, page, sources=sources)


def document(domain: str, *items: Item) -> Document:
    return Document(domain, items, len(items), "2026-11-26T10:00:00.000Z", "2026-11-26T10:00:00.000Z", "")


class Held:
    """Documents in memory, which count how often they are gone through."""

    def __init__(self, *documents: Document) -> None:
        self._documents = documents
        self.rounds = 0

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(one.domain for one in self._documents)

    async def each(self) -> AsyncIterator[Document]:
        self.rounds += 1
        for one in self._documents:
            yield one


async def addresses(*documents: Document) -> list[tuple[str, str]]:
    return [(found.domain, found.item.email) async for found in merged(Held(*documents))]


async def text(form: Form, *documents: Document) -> str:
    return b"".join([piece async for piece in export(merged(Held(*documents)), form)]).decode()


async def test_addresses_come_document_by_document() -> None:
    found = await addresses(document(A, item(f"x@{A}"), item("x@elsewhere.example")), document(B, item(f"y@{B}")))
    assert found == [(A, f"x@{A}"), (A, "x@elsewhere.example"), (B, f"y@{B}")]


async def test_one_of_several_documents_comes_once_with_the_best_of_each() -> None:
    first, second = item(f"x@{B}", 0.4, "https://a.example/1"), item(f"x@{B}", 0.9, "https://b.example/2")
    found = [one async for one in merged(Held(document(A, first), document(B, item(f"y@{B}"), second)))]
    assert found == [Found(B, item(f"y@{B}")), Found(B, merge(first, second))]
    assert found[1].item.confidence == 0.9
    assert len(found[1].item.sources) == 2


async def test_one_that_belongs_to_no_document_of_these_is_merged_as_well() -> None:
    assert await addresses(document(A, item("x@mail.example")), document(B, item("x@mail.example"))) == [
        (A, "x@mail.example")
    ]


async def test_a_single_document_is_read_once_and_many_twice() -> None:
    one, many = Held(document(A, item(f"x@{A}"))), Held(document(A), document(B))
    assert [found.domain async for found in merged(one)] == [A]
    assert [found async for found in merged(many)] == []
    assert (one.rounds, many.rounds) == (1, 2)


async def test_a_table_has_the_columns_of_a_single_domains_and_runs_no_formula() -> None:
    dangerous = msgspec.structs.replace(item(f"x@{A}"), name='=HYPERLINK("https://evil.example")')
    lines = (await text(Form.CSV, document(A, dangerous))).split("\r\n")
    assert lines[0].split(",") == list(tables.COLUMNS)
    assert '"\'=HYPERLINK(""https://evil.example"")"' in lines[1]
    assert lines[2:] == [""]


async def test_json_is_an_array_and_lines_are_objects_each_with_its_domain() -> None:
    documents = (document(A, item(f"x@{A}"), item(f"z@{A}")), document(B, item(f"y@{B}")))
    array = msgspec.json.decode(await text(Form.JSON, *documents))
    lines = [msgspec.json.decode(line) for line in (await text(Form.JSONL, *documents)).splitlines()]
    assert [(one["domain"], one["email"]) for one in array] == [(A, f"x@{A}"), (A, f"z@{A}"), (B, f"y@{B}")]
    assert lines == array


async def test_nothing_is_an_empty_array_a_header_or_no_line() -> None:
    assert msgspec.json.decode(await text(Form.JSON, document(A))) == []
    assert await text(Form.CSV, document(A), document(B)) == tables.header()
    assert await text(Form.JSONL) == ""


_HOSTS = st.sampled_from([A, B, C, "mail.example"])
_EMAILS = st.builds("{}@{}".format, st.sampled_from("xyz"), _HOSTS)
_LISTS = st.lists(_EMAILS, unique=True, max_size=8)


@given(st.tuples(_LISTS, _LISTS, _LISTS))
async def test_whatever_documents_hold_each_address_comes_once(held: Sequence[Sequence[str]]) -> None:
    documents = [document(domain, *map(item, emails)) for domain, emails in zip((A, B, C), held, strict=True)]
    found = [email for _, email in await addresses(*documents)]
    assert sorted(found) == sorted({email for emails in held for email in emails})
