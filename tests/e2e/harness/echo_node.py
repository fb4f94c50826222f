"""A WebSocket server that we did not write (Python's websockets) and that sends every message back."""

import asyncio
import json
import threading

import websockets

from .ports import free_port


def unwrapped(message: str | bytes) -> str | bytes:
    call = json.loads(message) if len(message) < 200 else {}
    if call.get("method") != "unwrap":
        return message
    (text,) = call["params"]
    return text if isinstance(message, str) else text.encode()


class EchoNode:
    """Runs in a thread. Keeps the sizes and kinds of what came, and the codes that connections were closed with.

    Of a call of `unwrap` it sends the parameter's text alone, which may be smaller than any call.
    """

    def __init__(self):
        self.port = free_port()
        self.messages: list[tuple[type, int]] = []
        self.close_codes: list[int] = []
        self.headers: list = []
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the echo node has not started"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def _serve(self):
        self._end = asyncio.Event()
        # No compression, no limit and no pings of its own: what is seen is what was sent.
        async with websockets.serve(
            self._echo, "127.0.0.1", self.port, max_size=None, compression=None, ping_interval=None
        ):
            self._ready.set()
            await self._end.wait()

    async def _echo(self, connection):
        try:
            async for message in connection:
                self.messages.append((type(message), len(message)))
                await connection.send(unwrapped(message))
        except websockets.exceptions.ConnectionClosed:
            pass
        finally:
            self.close_codes.append(connection.close_code)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
