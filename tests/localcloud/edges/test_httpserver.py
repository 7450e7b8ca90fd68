"""The sockets of the local cloud's HTTP servers."""

import asyncio
import socket

from deploytool.localcloud.edges.sockets import bind


def test_answers_are_not_held_back() -> None:
    """A connection sends each part of an answer at once.

    With Nagle's algorithm every call would take 40 ms more.
    """

    async def accepted() -> int:
        no_delay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            no_delay.set_result(
                writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            )
            writer.close()

        bound = bind("127.0.0.1")
        async with await asyncio.start_server(serve, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname())
            value = await no_delay
            writer.close()
            await writer.wait_closed()
            return value

    assert asyncio.run(accepted()) != 0
