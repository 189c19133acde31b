"""What is remembered of a cluster comes back as it was, and other people's folders are never taken for clusters."""

from pathlib import Path

import pytest

from devcluster.allocation import IN_OWN_NAMESPACE, Ports
from devcluster.errors import DamagedRecordError, LeftBehindError, UnknownClusterError
from devcluster.record import ClusterRecord, Kind, Limits, Registry, State
from devcluster.teardown import take_down

NODE = ClusterRecord("dev", Kind.NODE, State.STARTING, IN_OWN_NAMESPACE, index=3, audit_log=True)
PLANE = ClusterRecord("cp", Kind.CONTROL_PLANE, State.RUNNING, Ports(1, 2, 3, 4, 5, 6), limits=Limits(100, 200))


@pytest.mark.parametrize("record", [NODE, PLANE])
def test_a_record_comes_back_as_it_was(record: ClusterRecord, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(record)
    assert registry.get(record.name) == record
    assert registry.names() == [record.name]


def test_the_api_of_a_node_is_at_its_link_and_of_a_control_plane_on_loopback() -> None:
    assert NODE.server == "https://10.88.200.13:6443"
    assert PLANE.server == "https://127.0.0.1:1"


def test_an_unknown_cluster_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownClusterError, match="no cluster named 'nobody'"):
        Registry(tmp_path).get("nobody")


def test_a_record_of_another_version_is_said_to_be_so(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(PLANE)
    registry.folder("cp").record.write_text('{"name": "cp"}')
    with pytest.raises(DamagedRecordError, match="another version of devcluster"):
        registry.get("cp")


def test_a_folder_that_is_no_cluster_is_neither_listed_nor_removed(tmp_path: Path) -> None:
    precious = tmp_path / "home"
    precious.mkdir()
    (precious / "thesis").write_text("years")
    assert Registry(tmp_path).names() == []
    with pytest.raises(LeftBehindError, match="not touching it"):
        take_down(Registry(tmp_path), "home")
    assert (precious / "thesis").read_text() == "years"


def test_a_start_that_was_killed_at_once_is_taken_down(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    assert not take_down(Registry(tmp_path), "dev")
    assert not (tmp_path / "dev").exists()


def test_a_recorded_cluster_of_which_nothing_runs_is_taken_down(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(PLANE)
    (registry.folder("cp").path / "etcd").mkdir()
    assert take_down(registry, "cp")
    assert not take_down(registry, "cp")
    assert not registry.folder("cp").path.exists()


def test_one_damaged_record_hinders_no_other_cluster(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.write(PLANE)
    registry.write(NODE)
    registry.folder("cp").record.write_text("{")
    assert registry.all() == [NODE]
    assert registry.names() == ["cp", "dev"]
