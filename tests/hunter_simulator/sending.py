"""Puts an answer on the wire with aiohttp, also one that breaks the rules of HTTP on purpose."""

import asyncio
import socket
import struct

from aiohttp import web

from hunter_simulator.exchange import Outgoing

_CHUNK = 64 * 1024


async def send(request: web.Request, outgoing: Outgoing) -> web.StreamResponse:
    """Send an answer and return the response object, which aiohttp wants to have back."""
    if outgoing.delay:
        await asyncio.sleep(outgoing.delay)
    headers = dict(outgoing.headers)
    headers["Content-Type"] = outgoing.content_type
    if outgoing.delivery == "reset":
        _reset(request)
        return web.Response()
    if outgoing.delivery == "whole":
        return web.Response(status=outgoing.status, body=outgoing.body, headers=headers)
    response = web.StreamResponse(status=outgoing.status, headers=headers)
    if outgoing.delivery == "cut":
        response.content_length = len(outgoing.body)
    else:
        response.enable_chunked_encoding()
    await response.prepare(request)
    cut = outgoing.delivery != "chunked"
    body = outgoing.body[: outgoing.kept] if cut else outgoing.body
    for start in range(0, len(body), _CHUNK):
        await response.write(body[start : start + _CHUNK])
    if cut and request.transport is not None:
        # Closed before the end that the headers, or the missing last chunk, promise.
        request.transport.close()
    return response


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for 0 s makes the kernel send RST in place of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
