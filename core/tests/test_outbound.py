"""What somebody who is called may answer to do harm."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from core import outbound

CHUNK = b"x" * 65_536
# More than anybody should read of an answer.
CHUNKS_MAX = 2_000


@contextmanager
def answering(head: bytes, *, chunks: int = 0, chunk: bytes = CHUNK, pause_seconds: float = 0.0):
    """Answer one call with bytes as they are, then so many chunks; give the address, and how many were taken."""
    taken: list[int] = []

    def answer() -> None:
        with listener, suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(head)
                for number in range(chunks):
                    connection.sendall(chunk)
                    taken.append(number)
                    time.sleep(pause_seconds)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", taken
    thread.join(timeout=10)


def post(url: str) -> outbound.Received:
    return outbound.post(url=url, headers={}, body=b"{}", seconds_max=5.0, answer_size_bytes_max=1_000)


def test_of_a_redirect_no_more_is_read_than_of_any_answer():
    began = time.monotonic()
    with answering(b"HTTP/1.1 302 Found\r\nLocation: /on\r\n\r\n", chunks=CHUNKS_MAX) as (url, taken):
        received = post(url)

    assert (received.status, received.body) == (302, "x" * 1_000)
    assert time.monotonic() - began < 4
    # What the machine's own buffers hold of it.
    assert len(taken) < CHUNKS_MAX / 4


def test_a_redirect_is_not_read_whole_by_a_call_either():
    head = b"HTTP/1.1 302 Found\r\nLocation: /on\r\n\r\n"
    with answering(head, chunks=CHUNKS_MAX) as (url, taken), pytest.raises(outbound.NoAnswer):
        outbound.call(method="GET", url=url)

    assert len(taken) < CHUNKS_MAX / 4


@pytest.mark.parametrize("location", [b"http://[", b"http://\xff\xfe/", b"http://a:99999999/"])
def test_a_redirect_to_what_is_no_address_is_an_answer_like_any_other(location):
    with answering(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as (url, _):
        assert post(url).status == 302


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_call_is_over_in_time_however_slowly_it_is_answered_byte_by_byte(monkeypatch, head):
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 0.5)
    began = time.monotonic()

    with answering(head, chunks=100, chunk=b"1", pause_seconds=0.05) as (url, _), pytest.raises(outbound.NoAnswer):
        outbound.call(method="GET", url=url)

    assert time.monotonic() - began < 3
