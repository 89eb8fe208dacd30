"""What somebody who is called may answer to do harm."""

import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

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
    return outbound.post(url=url, headers={}, body=b"{}", seconds_max=5.0, answer_size_bytes_max=lambda _status: 1_000)


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


# What comes before the answer, and after its head


def post_within(seconds_max: float, url: str) -> tuple[object, float]:
    """Post, and return what came or was raised, with how long that took."""
    began = time.monotonic()
    try:
        came: object = outbound.post(
            url=url, headers={}, body=b"{}", seconds_max=seconds_max, answer_size_bytes_max=lambda _status: 1_000_000
        )
    except (outbound.NotSent, outbound.NoAnswer) as error:
        came = type(error)
    return came, time.monotonic() - began


def slow_names(monkeypatch, *, seconds: float) -> None:
    """Let the machine's resolver take so long for a name, and find it on loopback."""
    usual = socket.getaddrinfo

    def look_up(host, *told, **named):
        if host == "slow.example.com":
            time.sleep(seconds)
            host = "127.0.0.1"
        return usual(host, *told, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_name_that_takes_for_ever_to_look_up_is_not_waited_for(monkeypatch):
    slow_names(monkeypatch, seconds=4)

    came, took_seconds = post_within(0.5, "http://slow.example.com/")

    assert came is outbound.NotSent
    assert took_seconds < 1.5


def test_a_name_that_is_slow_to_look_up_leaves_less_time_for_the_answer(monkeypatch):
    slow_names(monkeypatch, seconds=0.6)
    with answering(b"HTTP/1.1 200 OK\r\nX-Slow: ", chunks=60, chunk=b"1", pause_seconds=0.05) as (url, _):
        came, took_seconds = post_within(1.0, url.replace("127.0.0.1", "slow.example.com"))

    assert came is outbound.TooLate
    assert took_seconds < 1.6


def test_whoever_takes_no_connection_has_no_more_time_than_is_left():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        address = listener.getsockname()
        # Whoever stands in line before us: the next one hears nothing at all.
        for _ in range(3):
            other = waiting.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(address)
        came, took_seconds = post_within(0.4, f"http://127.0.0.1:{address[1]}/")

    assert came is outbound.NotSent
    assert took_seconds < 1.2


def test_of_a_body_that_comes_byte_by_byte_is_told_what_came_in_time():
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", chunks=100, chunk=b"1", pause_seconds=0.05) as (url, _):
        came, took_seconds = post_within(0.5, url)

    assert (came.status, set(came.body)) == (200, {"1"})
    assert took_seconds < 1.2
