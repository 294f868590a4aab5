"""A server that writes long replies before it reads on, through the smallest of buffers."""

import socket
import threading

import pytest

from fsm_smtp.client import Client, Depth, Message, Options

RECIPIENTS = tuple(f"recipient-{number}@example.test" for number in range(600))
#: As long as a reply line may be (RFC 5321 §4.5.3.1.5).
LONG = b"250 " + b"x" * 506 + b"\r\n"


class Narrow:
    """Answers each line before it reads the next, in as long a line as there is."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._listener.setsockopt(socket.SOL_SOCKET, option, 2048)
        self.port = int(self._listener.getsockname()[1])
        self.lines = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connected, _ = self._listener.accept()
        with connected, connected.makefile("rb", buffering=512) as lines:
            connected.sendall(b"220 hi\r\n")
            content = False
            for line in lines:
                self.lines += 1
                verb = line[:4].upper()
                if content:
                    content = line != b".\r\n"
                    if content:
                        continue
                    connected.sendall(LONG)
                elif verb == b"EHLO":
                    connected.sendall(b"250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
                elif verb == b"DATA":
                    content = True
                    connected.sendall(b"354 go\r\n")
                elif verb == b"BDAT":
                    lines.read(int(line.split()[1]))
                    connected.sendall(LONG)
                elif verb == b"QUIT":
                    connected.sendall(b"221 bye\r\n")
                    return
                else:
                    connected.sendall(LONG)

    def stop(self) -> None:
        """Be gone."""
        self._listener.close()
        self._thread.join(5)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("depth", ["group", "full", "window"])
def test_large_groups_never_wait_for_each_other(depth: Depth) -> None:
    server = Narrow()
    messages = [
        Message.of(b"Subject: %d\r\n\r\n" % number, "s@example.test", recipients)
        for number, recipients in enumerate((RECIPIENTS, *(RECIPIENTS[:3],) * 100))
    ]
    with Client("127.0.0.1", server.port, Options(timeout=20.0, ehlo_name="c.test")) as client:
        results = list(client.send_many(messages, depth=depth))
    server.stop()
    assert all(result.all_accepted for result in results)
    assert len(results) == 101
