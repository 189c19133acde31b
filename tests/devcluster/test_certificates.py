"""Certificates are such that the strictest of clients, Python 3.13 and later, trusts them."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from devcluster.certificates import Authority, Identity


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority("ca", tmp_path)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """One TLS connection over a pair of sockets; an error of the client is raised."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as served:
                served.recv(1)
        except (ssl.SSLError, OSError):
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=host) as connection:
            connection.sendall(b"x")
    finally:
        ours.close()
        thread.join(10)


@pytest.mark.parametrize("host", ["127.0.0.1", "kubernetes.default"])
def test_a_server_is_trusted_under_each_of_its_names_by_a_strict_client(authority: Authority, host: str) -> None:
    pair = authority.issue("server", Identity("server", hosts=("127.0.0.1", "kubernetes.default")))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    client = ssl.create_default_context(cafile=str(authority.file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    handshake(server, client, host)


def test_a_server_is_not_trusted_under_another_name(authority: Authority) -> None:
    pair = authority.issue("server", Identity("server", hosts=("127.0.0.1",)))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    client = ssl.create_default_context(cafile=str(authority.file))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "127.0.0.2")


def test_keys_are_for_their_owner_alone(authority: Authority) -> None:
    pair = authority.issue("client", Identity("someone", groups=("some",)))
    assert pair.key.stat().st_mode & 0o077 == 0
    assert authority.key_file.stat().st_mode & 0o077 == 0
