"""`openssl s_client`, told what to say and read to its end."""

import subprocess
import time


def s_client(
    port: int, *arguments, say: bytes = b"", after_s: float = 0.3, linger_s: float = 0.5, seconds: float = 20.0
) -> str:
    """Everything that it printed. `say` is typed `after_s` later, and its input ends `linger_s` after that.

    Not with -quiet: a line "R" renegotiates and "Q" ends, as in its manual.
    """
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        time.sleep(after_s)
        for part in say.split(b"\0"):  # A NUL is a pause, so that a command line is read alone.
            if client.poll() is None:
                try:
                    client.stdin.write(part)
                    client.stdin.flush()
                except BrokenPipeError:
                    break
            time.sleep(linger_s)
        output, _ = client.communicate(timeout=seconds)
    finally:
        if client.poll() is None:
            client.kill()
            client.wait()
    return output.decode(errors="replace")


def handshake(port: int, *arguments) -> str:
    """A handshake and nothing else; succeeded(output) tells how it went."""
    return s_client(port, *arguments, say=b"Q\n", after_s=0.2, linger_s=0.1)


def succeeded(output: str) -> bool:
    return "Cipher is (NONE)" not in output and "Cipher is" in output
