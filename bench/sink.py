"""A sink: an SMTP server that accepts everything and keeps nothing, as fast as Python can.

A process of its own: it prints its port and ends when its standard input does. One thread for each
connection; only one connection is busy at a time here, so threads do not get into each other's way.
"""

import argparse
import socket
import sys
import threading
from typing import Final

from bench.cores import pin

_READ: Final = 256 * 1024
_END: Final = b"\r\n.\r\n"

_OK: Final = b"250 2.0.0 Ok\r\n"
_ANSWERS: Final = {
    b"EHLO": b"250-sink.example.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"HELO": b"250 sink.example.test\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"RSET": _OK,
    b"NOOP": _OK,
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
_UNKNOWN: Final = b"500 5.5.2 What is that?\r\n"


def _serve(connection: socket.socket) -> None:
    """Answer until QUIT or the end of the connection."""
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"220 sink.example.test ESMTP\r\n")
        buffer = bytearray(_READ + len(_END))
        rest = b""
        while data := connection.recv(_READ):
            rest += data
            while b"\n" in rest:
                line, _, rest = rest.partition(b"\n")
                verb = line[:4].upper()
                connection.sendall(_ANSWERS.get(verb, _UNKNOWN))
                if verb == b"DATA":
                    after = _content(connection, rest, buffer)
                    if after is None:
                        return
                    rest = after
                    connection.sendall(_OK)
                elif verb == b"QUIT":
                    return


def _content(connection: socket.socket, early: bytes, buffer: bytearray) -> bytes | None:
    """Read to the end of data; give what came behind it, ``None`` when the connection ended.

    Args:
        connection: where to read.
        early: what came together with DATA.
        buffer: room to work in.
    """
    view = memoryview(buffer)
    window = b"\r\n" + early  # the CRLF of DATA is the first half of the end of an empty content
    end = window.find(_END)
    if end >= 0:
        return window[end + len(_END) :]
    kept = min(len(window), len(_END) - 1)
    view[:kept] = window[-kept:]
    while count := connection.recv_into(view[kept:]):
        filled = kept + count
        end = buffer.find(_END, 0, filled)
        if end >= 0:
            return bytes(view[end + len(_END) : filled])
        kept = min(filled, len(_END) - 1)  # the end may begin in what is here
        view[:kept] = bytes(view[filled - kept : filled])
    return None


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def main() -> None:
    """Listen on loopback, print the port, and end with the standard input."""
    parser = argparse.ArgumentParser(prog="bench.sink")
    parser.add_argument("--core", type=int)
    pin(parser.parse_args().core)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
