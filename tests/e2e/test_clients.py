"""Clients that people use, each over wss:// or https:// with a self-signed certificate that they were told to trust."""

import asyncio
import json
import ssl
import subprocess

import pytest
import websockets

from harness import client
from harness.client import SMALLEST_MESSAGE, message_of
from harness.node_script import run_script
from harness.until import until

# Those below a call's are of answers alone. The last is 16 MiB less the largest frame head of a client.
SIZES = [0, 1, 125, 126, 65535, 65536, 1 << 20, 15 << 20, (16 << 20) - 14]

pytestmark = pytest.mark.control


def of_two_bytes(size: int) -> bytes:
    return ("ž" * (size // 2)).encode() + b"." * (size % 2)


def trusting(ca) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(ca))
    return context


@pytest.mark.timeout(120)
def test_the_npm_ws_client_gets_every_size_back(echo, echo_node, javascript):
    seen = run_script("echo", echo.wss, *SIZES, ca=echo.ca_file(), seconds=100)
    assert seen[0] == {"extensions": "", "protocol": ""}
    assert [(one["size"], one["binary"]) for one in seen[1:-1]] == [
        (size, kind) for size in SIZES for kind in (True, False)
    ]
    assert all(one["same"] for one in seen[1:-1]), seen
    assert seen[-1] == {"closed": {"code": 4321, "reason": "enough"}}
    until(lambda: echo_node.close_codes == [4321], 5, "the node sees the code")


@pytest.mark.timeout(120)
def test_python_websockets_gets_every_size_back(echo, echo_node):
    async def talk():
        async with websockets.connect(
            echo.wss, ssl=trusting(echo.ca_file()), max_size=None, ping_interval=None, compression=None
        ) as connection:
            for size in SIZES:
                if size < SMALLEST_MESSAGE:
                    answer = of_two_bytes(size)
                    message = client.call("unwrap", [answer.decode()])
                else:
                    answer = message = message_of(size, of_two_bytes)
                for convert in (bytes, bytes.decode):
                    await connection.send(convert(message))
                    assert await connection.recv() == convert(answer)

    asyncio.run(asyncio.wait_for(talk(), 100))
    until(lambda: echo_node.close_codes == [1000], 5, "the node sees the code")


def test_python_websockets_that_offers_compression_goes_without(echo):
    async def talk():
        async with websockets.connect(echo.wss, ssl=trusting(echo.ca_file()), compression="deflate") as connection:
            await connection.send(message_of(1000).decode())
            assert await connection.recv() == message_of(1000).decode()

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_a_websockets_client_streams_one_message_in_pieces(echo, echo_node):
    async def talk():
        async with websockets.connect(echo.wss, ssl=trusting(echo.ca_file()), ping_interval=None) as connection:
            message = client.message("in three pieces")
            await connection.send([message[:5], message[5:60], message[60:]])
            assert await connection.recv() == message

    asyncio.run(asyncio.wait_for(talk(), 20))
    assert echo_node.messages == [(bytes, len(client.message("in three pieces")))]


def test_a_websockets_client_that_pings_is_answered(echo):
    async def talk():
        async with websockets.connect(echo.wss, ssl=trusting(echo.ca_file()), ping_interval=None) as connection:
            answered = await connection.ping(b"are you there")
            await asyncio.wait_for(answered, 5)

    asyncio.run(asyncio.wait_for(talk(), 20))


def curl(server, *arguments) -> str:
    done = subprocess.run(
        [
            "curl",
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--max-time",
            "10",
            "--cacert",
            str(server.ca_file()),
            *arguments,
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_curl_posts_a_call(cast):
    server = cast.ringwall(cast.fake_node(lambda node: node.answer_calls("pong")))
    output = curl(server, "-H", "Content-Type: application/json", "-d", client.call("ping_me").decode(), server.https)
    assert json.loads(output) == {"jsonrpc": "2.0", "id": 1, "result": "pong"}


def test_curl_posts_twice_over_one_connection(cast):
    server = cast.ringwall(cast.fake_node(lambda node: node.answer_calls("pong")))
    body = client.call("ping_me").decode()
    one = [
        "-H",
        "Content-Type: application/json",
        "-d",
        body,
        "-o",
        "/dev/null",
        "-w",
        "%{num_connects} ",
        server.https,
    ]
    assert curl(server, *one, "--next", "--cacert", str(server.ca_file()), *one).split() == ["1", "0"]


def test_curl_posts_a_mebibyte(cast):
    def node(connection):
        request = connection.read_request()
        connection.reply_json({"jsonrpc": "2.0", "id": 1, "result": len(request.json["params"][0])})

    server = cast.ringwall(cast.fake_node(node))
    body = cast.folder / "body.json"
    body.write_bytes(client.call("system_dryRun", ["x" * (1 << 20)]))
    output = curl(server, "-H", "Content-Type: application/json", "--data-binary", f"@{body}", server.https)
    assert json.loads(output)["result"] == 1 << 20


def test_curl_reads_health(cast):
    server = cast.ringwall(cast.fake_node(lambda node: node.answer_calls()))
    assert curl(server, f"{server.https}/health") == ""
    assert curl(server, "--head", f"{server.https}/health").startswith("HTTP/1.1 200")
