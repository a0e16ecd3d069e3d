"""A shop in forty lines, as a process that can be killed: ``python -m ... NAME PORT``.

It responds after 20 ms with its name. Some paths make it misbehave.
"""

from __future__ import annotations

import asyncio
import sys

ACTS = {"/fail": "503 Service Unavailable"}


async def serve(name: str, port: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await answer(head.decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        path = head.split()[1]
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        if path == "/crash":  # as when a worker dies during a request
            writer.close()
            return
        if path != "/ready":
            await asyncio.sleep(0.02)
        status = ACTS.get(path, "200 OK")
        body = headers.get("x-request-id", "").encode()
        writer.write(
            f"HTTP/1.1 {status}\r\nX-Instance: {name}\r\nX-Colour: {name.split('-')[0]}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
