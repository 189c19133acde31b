"""Unpacks an answer's body while it comes, and never beyond a bound: a few bytes of gzip can stand for gigabytes."""

import zlib

ACCEPTED = "gzip"
"""What is asked for, in the form of the header Accept-Encoding."""

_GZIP = 16 + zlib.MAX_WBITS
"""Tells zlib to expect gzip's header and checksum."""


class UnpackingError(ValueError):
    """The body is packed, and breaks off or is none of gzip's."""


class Body:
    """A body that comes in pieces, of which at most so much is kept as may be.

    httpx unpacks each piece whole, however large it becomes, and once more for each coding that the header repeats.
    """

    def __init__(self, coding: str, most: int) -> None:
        """Begin a body.

        Args:
            coding: The header Content-Encoding. Anything but one gzip is taken as it is: whoever packs what was
                not asked to be packed sends what nobody can read, and that is found out by reading.
            most: Bytes, unpacked.
        """
        self._most = most
        self._zlib = zlib.decompressobj(_GZIP) if coding.strip().lower() in ("gzip", "x-gzip") else None
        self._content = bytearray()

    def add(self, piece: bytes) -> bool:
        """Take a piece; tell whether there is room for more.

        Raises:
            UnpackingError: it is no gzip.
        """
        room = self._most + 1 - len(self._content)
        if self._zlib is None:
            self._content += piece[:room]
        elif not self._zlib.eof:
            try:
                self._content += self._zlib.decompress(piece, max(1, room))
            except zlib.error:
                raise UnpackingError("the answer is packed in a way that can't be unpacked") from None
        return not self.too_large

    @property
    def too_large(self) -> bool:
        """True: there was more than `most`, and what is kept is only the beginning."""
        return len(self._content) > self._most

    def kept(self) -> bytes:
        """Return what came, unpacked."""
        return bytes(self._content)

    def whole(self) -> bytes:
        """Return what came, unpacked, now that the connection says that it was all.

        Raises:
            UnpackingError: gzip says that there is more.
        """
        # An empty body is one whether it was called packed or not.
        if self._zlib is not None and not self._zlib.eof and self._content:
            raise UnpackingError("the answer is packed and breaks off")
        return self.kept()
