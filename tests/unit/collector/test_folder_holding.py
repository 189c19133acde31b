"""A folder as a sweep sees it: what somebody has stored since it was read stays."""

from pathlib import Path

import msgspec
import pytest

from contract.collector.sweeps import document, put
from novahunt_collector.storage.folder_holding import FolderHolding
from novahunt_contract import document as documents
from novahunt_contract.intake import Swept


class Operator:
    """Hears what a sweep says, and does what a run would do meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[Swept] = []
        self.meanwhile: bytes | None = None

    async def hear(self, swept: Swept) -> bool:
        self.heard.append(swept)
        if self.meanwhile is not None:
            (self.folder / "example.com.json").write_bytes(self.meanwhile)
        return True

    def holding(self) -> FolderHolding:
        return FolderHolding(self.folder, 20.0, self.hear)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    put(tmp_path, document())
    return Operator(tmp_path)


async def test_a_file_that_a_run_has_replaced_meanwhile_stays(operator: Operator) -> None:
    holding = operator.holding()
    before = await holding.load("example.com")
    assert before is not None
    operator.meanwhile = documents.encode(document("example.com", "new@example.com", run=4))
    left = msgspec.structs.replace(before.document, items=(), total=0)
    assert not await holding.replace(before, left)
    assert not await holding.remove(before, expired=True)
    assert (operator.folder / "example.com.json").read_bytes() == operator.meanwhile
    assert [path.name for path in operator.folder.iterdir()] == ["example.com.json"]


async def test_a_file_that_is_gone_meanwhile_is_not_made_anew(operator: Operator) -> None:
    holding = operator.holding()
    before = await holding.load("example.com")
    assert before is not None
    (operator.folder / "example.com.json").unlink()
    assert not await holding.replace(before, before.document)
    assert not await holding.remove(before, expired=True)
    assert list(operator.folder.iterdir()) == []


async def test_what_is_left_is_told_before_it_lies_there(operator: Operator) -> None:
    holding = operator.holding()
    before = await holding.load("example.com")
    assert before is not None
    left = msgspec.structs.replace(before.document, items=before.document.items[:1], total=1)
    assert await holding.replace(before, left)
    data = (operator.folder / "example.com.json").read_bytes()
    assert documents.decode(data) == left
    assert [(told.sha256, told.bytes, told.emails) for told in operator.heard] == [
        (documents.digest(data), len(data), 1)
    ]
