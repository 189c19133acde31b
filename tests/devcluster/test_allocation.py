"""Names, ports and addresses: what is taken is never given again, and nonsense is refused with a reason."""

import socket
from ipaddress import IPv4Address

import pytest

from devcluster.allocation import LINKS, PORTS, Link, Ports, checked_name, free_link, free_ports, port_is_free
from devcluster.errors import RefusedInputError


@pytest.mark.parametrize("name", ["a", "dev", "t123-4", "abcdefghijklmnop"])
def test_a_short_label_is_a_name(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "1a", "a-", "a/b", "..", "a b", "abcdefghijklmnopq", "ä", "a\n", ".locks"])
def test_what_could_leave_the_run_folder_or_a_socket_is_no_name(name: str) -> None:
    with pytest.raises(RefusedInputError, match="1 to 16 of a-z"):
        checked_name(name)


def test_the_first_free_link_is_taken() -> None:
    assert free_link([0, 1, 3], []) == Link(2)


def test_a_link_that_an_interface_of_the_machine_overlaps_is_left_alone() -> None:
    assert free_link([], [Link(0).host, IPv4Address("192.0.2.1")]) == Link(1)


def test_links_do_not_overlap_and_have_two_different_ends() -> None:
    links = [Link(index) for index in range(LINKS.num_addresses // 4)]
    ends = [end for link in links for end in (link.host, link.node)]
    assert len(set(ends)) == len(ends)
    assert all(link.host in link.network and link.node in link.network for link in links)


def test_interfaces_have_names_that_linux_takes() -> None:
    assert max(len(Link(index).interface) for index in range(LINKS.num_addresses // 4)) <= 15


def test_when_every_link_is_taken_it_says_so() -> None:
    with pytest.raises(RefusedInputError, match="are taken; take clusters down first"):
        free_link(range(64), [])


def test_ports_are_different_and_neither_taken_nor_in_use() -> None:
    taken = Ports(*range(21000, 21006))
    found = free_ports([taken], is_free=lambda port: port % 2 == 0)
    given = [found.api, found.etcd, found.etcd_peer, found.controllers, found.scheduler, found.simulator]
    assert given == [21006, 21008, 21010, 21012, 21014, 21016]


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not port_is_free(listener.getsockname()[1])


def test_without_free_ports_it_says_so() -> None:
    with pytest.raises(RefusedInputError, match=f"no 6 free ports in {PORTS.start}"):
        free_ports([], is_free=lambda _: False)
