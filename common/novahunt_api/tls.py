"""Lets what serves show another certificate, from the next connection on."""

import ssl
import tempfile


def show(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Give a server's context a certificate, with its chain, and its private key, both as PEM.

    Raises:
        ValueError: they can't be used; what was shown before goes on.
        OSError: there is no room for a file that the library could read them from; the same.
    """
    # The library reads them from files alone.
    with tempfile.NamedTemporaryFile(prefix="novahunt-") as file:
        file.write(certificate + b"\n" + key)
        file.flush()
        try:
            # One that does not fit would leave a context without any.
            for one in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
                # Without a password it would ask whoever sits at a terminal for that of an encrypted key.
                one.load_cert_chain(file.name, password="")
        except ssl.SSLError as error:
            raise ValueError(f"certificate and key can't be used together: {error.reason}") from None
