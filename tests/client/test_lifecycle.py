"""From connect to close, again and again: options, what may be sent, and who may use a client."""

import asyncio
import io
import os
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from fsm_smtp.client import AsyncClient, Client, Extensions, Options
from fsm_smtp.client.address import address_literal
from fsm_smtp.client.content import PIECE, Source
from fsm_smtp.errors import (
    CommandRefused,
    ConnectionLost,
    InvalidCommand,
    InvalidContent,
    Rejected,
)
from fsm_smtp.session import Event
from fsm_smtp.testing.scripted import (
    DELIVERY,
    ENVELOPE,
    GOODBYE,
    GREETING,
    OPENING,
    Answer,
    Body,
    Close,
    Hold,
    Line,
    Pause,
    Say,
    Script,
    ScriptedServer,
    Step,
    answers,
    ehlo,
)
from fsm_smtp.wire import commands
from tests.client.driver import RECIPIENTS, SENDER, Awaited, client

HELLO = b"hello\r\n"
HONEST = (*OPENING, Answer())
CLOSED = ("connect", "connect_tls")
OPTIONS = Options(timeout=2.0)


# -- life ----------------------------------------------------------------------------------------


def test_a_context_manager_says_quit() -> None:
    with ScriptedServer(HONEST, HONEST) as server:
        with Client("127.0.0.1", server.port, OPTIONS) as blocking:
            assert blocking.offers["SIZE"] == ()
            assert blocking.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        assert blocking.session.legal == CLOSED

        async def asynchronous() -> AsyncClient:
            async with AsyncClient("127.0.0.1", server.port, OPTIONS) as client:
                assert "8BITMIME" in client.offers
                assert (await client.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted
            return client

        assert asyncio.run(asynchronous()).session.legal == CLOSED
    assert [taken.octets.endswith(b"QUIT\r\n") for taken in server.taken] == [True, True]


def test_a_context_manager_closes_on_an_error_without_quit() -> None:
    with ScriptedServer(HONEST, HONEST) as server:
        with pytest.raises(ZeroDivisionError), Client("127.0.0.1", server.port, OPTIONS):
            raise ZeroDivisionError

        async def asynchronous() -> None:
            async with AsyncClient("127.0.0.1", server.port, OPTIONS):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asyncio.run(asynchronous())
    assert [b"QUIT" in taken.octets for taken in server.taken] == [False, False]


def test_a_context_manager_whose_connect_fails_leaves_nothing_open() -> None:
    refusing: Script = (Say(b"554 no\r\n"), Line(b"QUIT"), Say(b"221 bye\r\n"), Hold())
    with ScriptedServer(refusing, refusing) as server:
        with pytest.raises(Rejected), Client("127.0.0.1", server.port, OPTIONS):
            pass

        async def asynchronous() -> None:
            async with AsyncClient("127.0.0.1", server.port, OPTIONS):
                pass

        with pytest.raises(Rejected):
            asyncio.run(asynchronous())
    assert [taken.ended for taken in server.taken] == ["closed"] * 2


def test_closed_before_and_after(adapter: str) -> None:
    with ScriptedServer(HONEST, HONEST) as server, client(adapter, server.port) as sender:
        assert sender.quit() is None
        sender.close()
        with pytest.raises(RuntimeError, match="not connected"):
            sender.command(commands.noop())
        sender.connect()
        with pytest.raises(RuntimeError, match="already"):
            sender.connect()
        reply = sender.quit()
        assert reply is not None
        assert reply.code == 221
        assert sender.quit() is None
        with pytest.raises(RuntimeError, match="not connected"):
            sender.send_message(HELLO, SENDER, RECIPIENTS)
        sender.connect()
        assert sender.command(commands.noop()).code == 250
        sender.close()
        sender.close()
        assert sender.session.legal == CLOSED


def test_nobody_listens(adapter: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with client(adapter, bound.getsockname()[1]) as sender:
            with pytest.raises(ConnectionLost, match="no connection") as caught:
                sender.connect()
            assert caught.value.who == "network"
            assert sender.session.legal == CLOSED


def test_a_connection_that_takes_too_long(adapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says more than the empty text of a TimeoutError."""

    def too_long(*_: object) -> None:
        raise TimeoutError

    async def too_long_too(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", too_long)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", too_long_too)
    with (
        client(adapter, 9) as sender,
        pytest.raises(ConnectionLost, match=r"no connection to 127\.0\.0\.1:9: TimeoutError"),
    ):
        sender.connect()


def test_what_the_machine_refuses(adapter: str) -> None:
    with ScriptedServer(HONEST) as server, client(adapter, server.port) as sender:
        sender.connect()
        before = len(server.taken[0].octets)
        with pytest.raises(CommandRefused):
            sender.command(commands.data())
        assert len(server.taken[0].octets) == before
        sender.command(commands.mail(SENDER))
        with pytest.raises(CommandRefused):
            sender.send_message(HELLO, SENDER, RECIPIENTS)
        sender.command(commands.rset())
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        with pytest.raises(InvalidCommand, match="without recipients"):
            sender.send_message(HELLO, SENDER, ())
        sender.quit()


@pytest.mark.parametrize("said", [b"421 idle too long\r\n", b""])
def test_a_connection_that_went_while_nobody_looked(adapter: str, said: bytes) -> None:
    then = (Say(said), Close()) if said else (Close(),)
    with (
        ScriptedServer((*OPENING, *then), HONEST) as server,
        client(adapter, server.port, OPTIONS) as sender,
    ):
        sender.connect()
        threading.Event().wait(0.05)  # the octets are on their way
        result = sender.send_message(HELLO, SENDER, RECIPIENTS)
        assert type(result.error) is (Rejected if said else ConnectionLost)
        assert [fate.outcome for fate in result.fates] == ["refused", "refused"]
        assert not any(fate.permanent for fate in result.fates)
        if said:
            assert result.fates[0].reply is not None
            assert result.fates[0].reply.code == 421
        assert b"MAIL" not in server.taken[0].octets
        sender.close()
        sender.connect()
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()


# -- options -------------------------------------------------------------------------------------


def test_a_unix_socket(adapter: str, tmp_path: Path) -> None:
    path = tmp_path / "smtp"
    with (
        ScriptedServer(HONEST, path=path) as server,
        client(adapter, 0, OPTIONS, path=path) as sender,
    ):
        sender.connect()
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()
    assert server.taken[0].octets.startswith(b"EHLO localhost\r\n")


def test_a_unix_socket_that_is_not_there(adapter: str, tmp_path: Path) -> None:
    with (
        client(adapter, 0, OPTIONS, path=tmp_path / "nothing") as sender,
        pytest.raises(ConnectionLost, match="nothing"),
    ):
        sender.connect()


def test_a_source_address(adapter: str) -> None:
    with (
        ScriptedServer(HONEST) as server,
        client(adapter, server.port, OPTIONS, source_address=("127.0.0.2", 0)) as sender,
    ):
        sender.connect()
        sender.quit()
    peer = server.taken[0].peer
    assert isinstance(peer, tuple)
    assert peer[0] == "127.0.0.2"
    assert server.taken[0].octets.startswith(b"EHLO [127.0.0.2]\r\n")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine's loopback")
def test_ipv6(adapter: str) -> None:
    with (
        ScriptedServer(HONEST, host="::1") as server,
        client(adapter, server.port, OPTIONS, host="::1") as sender,
    ):
        sender.connect()
        sender.quit()
    assert server.taken[0].octets.startswith(b"EHLO [IPv6:::1]\r\n")


@pytest.mark.parametrize(
    ("address", "literal"),
    [
        (("192.0.2.1", 25), "[192.0.2.1]"),
        (("fe80::1%eth0", 25, 0, 2), "[IPv6:fe80::1]"),
        ("", "localhost"),
        (b"\0abstract", "localhost"),
    ],
)
def test_address_literals(address: object, literal: str) -> None:
    assert address_literal(address) == literal
    assert commands.ehlo(literal).argument == literal.encode()


def test_a_name_of_its_own(adapter: str) -> None:
    with (
        ScriptedServer(HONEST) as server,
        client(adapter, server.port, Options(ehlo_name="c.example.test")) as sender,
    ):
        sender.connect()
        sender.quit()
    assert server.taken[0].octets.startswith(b"EHLO c.example.test\r\n")


@pytest.mark.parametrize("code", [500, 502])
def test_helo_for_old_servers(adapter: str, code: int) -> None:
    old = (*GREETING, Line(b"EHLO"), Say(b"%d what?\r\n" % code), Line(b"HELO"))
    with (
        ScriptedServer(
            (*old, Say(b"250 hi\r\n"), Answer()), (*old, Say(b"550 no\r\n"), Hold())
        ) as server,
        client(adapter, server.port, Options(timeout=0.3)) as sender,
    ):
        sender.connect()
        assert not sender.session.offers
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()
        with pytest.raises(Rejected) as caught:
            sender.connect()
        assert caught.value.command is not None
        assert caught.value.command.startswith("HELO ")


# -- authentication ------------------------------------------------------------------------------

PASSWORD = "hunter2-correct-horse"
USER = Options(user="user", password=PASSWORD, clear_auth=True, timeout=0.5)


def authenticate(adapter: str, offers: str, *script: Step, options: Options = USER) -> bytes:
    """Connect, with these steps as the answer; gives what the client sent."""
    steps = (*GREETING, *ehlo(offers), *script, Answer())
    with ScriptedServer(steps) as server, client(adapter, server.port, options) as sender:
        sender.connect()
        assert sender.session.configuration["authenticated"] == "yes"
        sender.quit()
    return server.taken[0].octets


def test_plain_before_login(adapter: str) -> None:
    octets = authenticate(adapter, "AUTH LOGIN PLAIN", Line(b"AUTH PLAIN "), Say(b"235 ok\r\n"))
    assert octets.count(b"AUTH") == 1


def test_login(adapter: str) -> None:
    steps = answers(
        (b"AUTH LOGIN", b"334 VXNlcm5hbWU6\r\n"),
        (b"dXNlcg==", b"334 UGFzc3dvcmQ6\r\n"),
        (b"", b"235 ok\r\n"),
    )
    assert b"AUTH LOGIN\r\n" in authenticate(adapter, "AUTH login", *steps)


def test_login_to_a_server_that_asks_for_more(adapter: str) -> None:
    """After the password LOGIN has nothing more to say, and says just that."""
    asked = answers(*((b"", b"334 \r\n"),) * 4, (b"", b"235 ok\r\n"))
    octets = authenticate(adapter, "AUTH LOGIN", *asked)
    assert octets.split(b"\r\n")[4:6] == [b"", b""]


def test_a_long_password_goes_without_an_initial_response(adapter: str) -> None:
    long = Options(user="user", password="x" * 600, clear_auth=True, timeout=0.5)
    steps = answers((b"AUTH PLAIN", b"334 \r\n"), (b"", b"235 ok\r\n"))
    assert b"AUTH PLAIN\r\n" in authenticate(adapter, "AUTH PLAIN", *steps, options=long)


def test_the_next_mechanism_after_504(adapter: str) -> None:
    steps = answers(
        (b"AUTH PLAIN", b"504 no\r\n"),
        (b"AUTH LOGIN", b"334 \r\n"),
        (b"", b"334 \r\n"),
        (b"", b"235 ok\r\n"),
    )
    authenticate(adapter, "AUTH PLAIN LOGIN", *steps)


@pytest.mark.parametrize(
    ("steps", "code", "sent"),
    [
        (answers((b"AUTH PLAIN", b"535 no\r\n")), 535, ["AUTH", "QUIT"]),
        (
            answers((b"AUTH PLAIN", b"504 no\r\n"), (b"AUTH LOGIN", b"534 no\r\n")),
            534,
            ["AUTH", "AUTH", "QUIT"],
        ),
        (
            answers(
                (b"AUTH PLAIN", b"334 not base64!\r\n"),
                (b"*", b"501 cancelled\r\n"),
                (b"AUTH LOGIN", b"334 @\r\n"),
                (b"*", b"501 cancelled\r\n"),
            ),
            501,
            ["AUTH", "*", "AUTH", "*", "QUIT"],
        ),
    ],
)
def test_authentication_that_fails(adapter: str, steps: Script, code: int, sent: list[str]) -> None:
    told: list[Event] = []
    how = Options(
        user="user", password=PASSWORD, clear_auth=True, timeout=0.5, observer=told.append
    )
    script = (*GREETING, *ehlo("AUTH PLAIN LOGIN"), *steps, Answer())
    with ScriptedServer(script) as server, client(adapter, server.port, how) as sender:
        with pytest.raises(Rejected) as caught:
            sender.connect()
        assert caught.value.code == code
        assert sender.session.legal == CLOSED
    lines = server.taken[0].octets.decode().split("\r\n")[1:-1]
    assert [line.split(" ")[0] for line in lines] == sent
    shown = f"{told} {caught.value!r} {how!r} {sender.session.last_command}"
    assert PASSWORD not in shown
    assert "aHVudGVyMi" not in shown


def test_no_password_in_clear_unless_asked(adapter: str) -> None:
    how = Options(user="user", password=PASSWORD, timeout=0.5)
    with (
        ScriptedServer((*GREETING, *ehlo("AUTH PLAIN"), Answer())) as server,
        client(adapter, server.port, how) as sender,
        pytest.raises(InvalidCommand, match="in clear"),
    ):
        sender.connect()
    assert b"AUTH" not in server.taken[0].octets


@pytest.mark.parametrize(
    ("offer", "words"), [("AUTH X-OWN", "offers X-OWN"), ("SIZE", "offers nothing")]
)
def test_no_mechanism_in_common(adapter: str, offer: str, words: str) -> None:
    with (
        ScriptedServer((*GREETING, *ehlo(offer), Answer())) as server,
        client(adapter, server.port, USER) as sender,
        pytest.raises(InvalidCommand, match=words),
    ):
        sender.connect()


# -- content -------------------------------------------------------------------------------------

CONTENT = b"Subject: x\r\n\r\n.dot\r\n" + b"line\r\n" * 30_000


class _Pipe(io.RawIOBase):
    """A file that cannot be rewound."""

    def __init__(self, octets: bytes) -> None:
        self._inner = io.BytesIO(octets)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        assert isinstance(buffer, memoryview)
        return self._inner.readinto(buffer)


def sources(folder: Path) -> Iterator[tuple[Source, int | None]]:
    """The same content in every form, and the size that can be known of it."""
    yield CONTENT, len(CONTENT)
    yield bytearray(CONTENT), len(CONTENT)
    yield memoryview(CONTENT), len(CONTENT)
    file = io.BytesIO(b"skipped" + CONTENT)
    file.seek(7)
    yield file, len(CONTENT)
    on_disk = folder / "content"
    on_disk.write_bytes(CONTENT)
    yield on_disk.open("rb"), len(CONTENT)
    yield io.BufferedReader(_Pipe(CONTENT)), None
    yield (CONTENT[i : i + 1000] for i in range(0, len(CONTENT), 1000)), None
    yield [CONTENT, b""], None


def test_content_in_every_form(adapter: str, tmp_path: Path) -> None:
    wire = CONTENT.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    for source, size in sources(tmp_path):
        with ScriptedServer(HONEST) as server, client(adapter, server.port, OPTIONS) as sender:
            sender.connect()
            assert sender.send_message(source, SENDER, RECIPIENTS[:1]).all_accepted
            sender.quit()
        octets = server.taken[0].octets
        assert octets.partition(b"DATA\r\n")[2] == wire + b"QUIT\r\n"
        assert (b" SIZE=%d" % size in octets) if size else (b"SIZE=" not in octets)
        if hasattr(source, "close"):
            source.close()


def test_a_pipe_of_the_system(adapter: str) -> None:
    reading, writing = os.pipe()
    writer = threading.Thread(target=lambda: Path(f"/dev/fd/{writing}").write_bytes(CONTENT))
    with ScriptedServer(HONEST) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        writer.start()
        with os.fdopen(reading, "rb") as pipe:
            writer.join(0.05)
            os.close(writing)
            assert sender.send_message(pipe, SENDER, RECIPIENTS[:1]).all_accepted
        writer.join()
        sender.quit()
    assert len(server.taken[0].octets) > len(CONTENT)


def test_an_email_message(adapter: str) -> None:
    message = EmailMessage()
    message["Subject"] = "Grüße"
    message.set_content("...\nx\n")
    with ScriptedServer(HONEST) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        assert sender.send_message(message, SENDER, RECIPIENTS[:1]).all_accepted
        sender.quit()
    octets = server.taken[0].octets
    assert b"Subject: =?utf-8?" in octets
    assert b"\r\n....\r\nx\r\n.\r\n" in octets


def test_text_is_no_content(adapter: str) -> None:
    with ScriptedServer(HONEST) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        with pytest.raises(TypeError, match="encode"):
            sender.send_message("text", SENDER, RECIPIENTS)  # type: ignore[arg-type]
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()


EIGHT = "grüße\r\n".encode()


@pytest.mark.parametrize(
    ("content", "offered", "body"),
    [
        (EIGHT, True, True),
        ([EIGHT], True, True),
        ([HELLO], True, True),
        (HELLO, True, False),
        (HELLO, False, False),
        ([HELLO, HELLO], False, False),
    ],
)
def test_eight_bits(adapter: str, content: Source, offered: bool, body: bool) -> None:
    script = (*GREETING, *ehlo(*(["8BITMIME"] if offered else [])), Answer())
    with ScriptedServer(script) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        assert sender.send_message(content, SENDER, RECIPIENTS).all_accepted
        sender.quit()
    assert (b" BODY=8BITMIME\r\n" in server.taken[0].octets) == body


def test_eight_bits_that_are_not_offered(adapter: str) -> None:
    script = (*GREETING, *ehlo(), Answer())
    with ScriptedServer(script, script) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        with pytest.raises(InvalidContent, match="8BITMIME"):
            sender.send_message(EIGHT, SENDER, RECIPIENTS)
        assert b"MAIL" not in server.taken[0].octets
        # What comes in pieces shows itself too late: then the message is given up.
        result = sender.send_message(iter([HELLO, EIGHT]), SENDER, RECIPIENTS)
        assert type(result.error) is InvalidContent
        assert [fate.outcome for fate in result.fates] == ["refused", "refused"]
        assert sender.session.legal == CLOSED
    assert EIGHT not in server.taken[0].octets
    assert not server.taken[0].octets.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize(
    ("offer", "taken"),
    [("SIZE 6", False), ("SIZE 7", True), ("SIZE 0", True), ("SIZE", True), ("SIZE x", True)],
)
def test_a_size_limit(adapter: str, offer: str, taken: bool) -> None:
    with (
        ScriptedServer((*GREETING, *ehlo(offer), Answer())) as server,
        client(adapter, server.port, OPTIONS) as sender,
    ):
        sender.connect()
        if taken:
            assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        else:
            with pytest.raises(InvalidContent, match="more than the 6"):
                sender.send_message(HELLO, SENDER, RECIPIENTS)
        sender.quit()
    assert (b" SIZE=7\r\n" in server.taken[0].octets) == taken


@pytest.mark.parametrize("offered", [True, False])
def test_smtputf8(adapter: str, offered: bool) -> None:
    with (
        ScriptedServer((*GREETING, *ehlo(*(["SMTPUTF8"] if offered else [])), Answer())) as server,
        client(adapter, server.port, OPTIONS) as sender,
    ):
        sender.connect()
        if offered:
            assert sender.send_message(HELLO, "ü@example.test", RECIPIENTS).all_accepted
        else:
            with pytest.raises(InvalidCommand, match="SMTPUTF8"):
                sender.send_message(HELLO, "ü@example.test", RECIPIENTS)
        sender.quit()
    assert ("MAIL FROM:<ü@example.test> SMTPUTF8".encode() in server.taken[0].octets) == offered


def test_parameters_of_the_caller(adapter: str) -> None:
    with ScriptedServer(HONEST) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        wishes = Extensions(parameters={"X-OWN": "1", "X-TWO": None})
        assert sender.send_message(HELLO, SENDER, RECIPIENTS, extensions=wishes).all_accepted
        sender.quit()
    assert b"> SIZE=7 X-OWN=1 X-TWO\r\n" in server.taken[0].octets


def test_an_error_of_the_callers_own_iterator(adapter: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * PIECE
        yield b"y"
        raise ZeroDivisionError

    with (
        ScriptedServer((*OPENING, *ENVELOPE, Body()), HONEST) as server,
        client(adapter, server.port, OPTIONS) as sender,
    ):
        sender.connect()
        with pytest.raises(ZeroDivisionError):
            sender.send_message(pieces(), SENDER, RECIPIENTS[:1])
        assert sender.session.legal == CLOSED
        sender.connect()
        assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()
    assert not server.taken[0].octets.endswith(b".\r\n")


# -- one at a time -------------------------------------------------------------------------------


def test_two_tasks(adapter: str) -> None:
    """The second one is refused, and the first one does not notice."""
    slow = (*OPENING, Line(b"MAIL"), Pause(0.2), Say(b"250 ok\r\n"), Answer())
    with ScriptedServer(slow) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        if isinstance(sender, Awaited):
            inner = sender.client

            async def both() -> bool:
                first = asyncio.create_task(inner.send_message(HELLO, SENDER, RECIPIENTS))
                await asyncio.sleep(0.05)
                for act in (inner.quit, inner.connect):
                    with pytest.raises(RuntimeError, match="busy; last command: MAIL"):
                        await act()
                with pytest.raises(RuntimeError, match="busy; last command: MAIL"):
                    await inner.send_message(HELLO, SENDER, RECIPIENTS)
                return (await first).all_accepted

            assert sender.run(both())
        else:
            taken: list[bool] = []

            def first() -> None:
                taken.append(sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted)

            thread = threading.Thread(target=first)
            thread.start()
            while sender.session.state.name != "MAIL":
                threading.Event().wait(0.01)
            for act in (sender.quit, sender.connect):
                with pytest.raises(RuntimeError, match="busy; last command: MAIL"):
                    act()
            thread.join()
            assert taken == [True]
        sender.quit()


def test_closing_under_a_task_that_waits() -> None:
    with ScriptedServer((*OPENING, Line(b"MAIL"), Hold())) as server:

        async def closing() -> None:
            client = AsyncClient("127.0.0.1", server.port, OPTIONS)
            await client.connect()
            task = asyncio.create_task(client.send_message(HELLO, SENDER, RECIPIENTS))
            await asyncio.sleep(0.05)
            client.close()
            result = await task
            assert isinstance(result.error, ConnectionLost)
            assert result.error.who == "client"
            assert client.session.legal == CLOSED

        asyncio.run(closing())


@pytest.mark.parametrize("state", ["connecting", "MAIL", "content", "writing"])
def test_cancelling_closes(state: str) -> None:
    scripts: dict[str, Script] = {
        "connecting": (Hold(),),
        "MAIL": (*OPENING, Line(b"MAIL"), Hold()),
        "content": (*OPENING, *ENVELOPE, Body(), Hold()),
        "writing": (*OPENING, *ENVELOPE, Pause(0.5)),
    }
    with ScriptedServer(scripts[state], HONEST) as server:

        async def cancelling() -> None:
            client = AsyncClient("127.0.0.1", server.port, OPTIONS)

            async def act() -> None:
                await client.connect()
                content = HELLO * 3_000_000 if state == "writing" else HELLO
                await client.send_message(content, SENDER, RECIPIENTS[:1])

            task = asyncio.create_task(act())
            await asyncio.sleep(0.25)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert client.session.legal == CLOSED
            await client.connect()
            assert (await client.send_message(HELLO, SENDER, RECIPIENTS)).all_accepted
            await client.quit()

        asyncio.run(cancelling())


def test_many_messages_on_one_connection(adapter: str) -> None:
    with ScriptedServer(HONEST) as server, client(adapter, server.port, OPTIONS) as sender:
        sender.connect()
        for _ in range(20):
            assert sender.send_message(HELLO, SENDER, RECIPIENTS).all_accepted
        sender.quit()
    assert server.taken[0].octets.count(b"DATA\r\n") == 20
    assert (len(DELIVERY), len(GOODBYE)) == (11, 3)


def test_content_may_be_sent_by_and_by(adapter: str) -> None:
    """Between the 354 and the end of data nothing else is legal, and nothing is lost."""
    with ScriptedServer(HONEST) as server, client(adapter, server.port) as sender:
        sender.connect()
        sender.command(commands.mail(SENDER))
        sender.command(commands.rcpt(RECIPIENTS[0]))
        assert sender.command(commands.data()).code == 354
        with pytest.raises(CommandRefused):
            sender.command(commands.noop())
        sender.stream(b"first\r\n")
        sender.stream(b"second\r\n")
        assert sender.dot().code == 250
        sender.quit()
    assert server.taken[0].octets.endswith(b"DATA\r\nfirst\r\nsecond\r\n.\r\nQUIT\r\n")


def test_content_that_breaks_off_ends_the_session(adapter: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first\r\n"
        raise ZeroDivisionError

    with ScriptedServer(HONEST) as server, client(adapter, server.port) as sender:
        sender.connect()
        sender.command(commands.mail(SENDER))
        sender.command(commands.rcpt(RECIPIENTS[0]))
        sender.command(commands.data())
        with pytest.raises(ZeroDivisionError):
            sender.stream(pieces())
        assert sender.session.legal == CLOSED
    assert b"\r\n.\r\n" not in server.taken[0].octets
