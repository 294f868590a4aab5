"""``fsm-smtp serve``: the model server, what it sees, and what its clients do wrong."""

import asyncio
import signal
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsm_smtp.cli import BAD
from fsm_smtp.cli.terminal import console, json_option, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from fsm_smtp.session import Event
    from fsm_smtp.testing.server.options import Options
    from fsm_smtp.testing.server.record import Message, SessionRecord
    from fsm_smtp.testing.server.session import Session
    from fsm_smtp.testing.server.watch import Violation

EPILOG = """\b
Examples:
  fsm-smtp serve                                  on a free port, until Ctrl-C
  fsm-smtp serve --port 2525 --sessions 1         one session, and then the verdict
  fsm-smtp serve --tls --auth                     STARTTLS and AUTH are offered
  fsm-smtp serve --fault 'RSET forgets nothing'   one mistake, on purpose
  fsm-smtp serve --script later.yaml              replies to order
  fsm-smtp serve --sink --port 2525               takes everything, fast

\b
A script is a list of orders:
  - {on: RCPT, recipient: later@example.test, reply: "450 4.2.1 later", times: 1}
  - {on: ".", delay: 5}                           the reply to the end of data
  - {on: MAIL, drop: true, skip: 1}               the second MAIL

\b
Exit codes:
  0  no client has done anything wrong
  1  one has
  2  wrong usage, or nowhere to listen
"""


@click.command(epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0: a free one.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Make this mistake.")
@click.option("--list-faults", is_flag=True, help="List the mistakes that can be ordered.")
@click.option(
    "--script", type=click.Path(dir_okay=False), metavar="FILE", help="Deviate as the file says."
)
@click.option("--tls", is_flag=True, help="Offer STARTTLS; without --cert by one of its own.")
@click.option("--implicit-tls", is_flag=True, help="TLS from the first octet.")
@click.option("--cert", type=click.Path(dir_okay=False), metavar="FILE", help="The certificate.")
@click.option("--key", type=click.Path(dir_okay=False), metavar="FILE", help="Its key.")
@click.option("--auth", is_flag=True, help="Offer AUTH, without TLS too.")
@click.option("--user", envvar="FSM_SMTP_USER", default="user", show_default=True)
@click.option(
    "--password", envvar="FSM_SMTP_PASSWORD", default="open sesame", help="[default: open sesame]"
)
@click.option("--recipient", "recipients", multiple=True, metavar="A", help="Know only these.")
@click.option("--maildir", type=click.Path(file_okay=False), metavar="DIR", help="Keep the mail.")
@click.option("--sink", is_flag=True, help="Take everything, look at nothing, be fast.")
@click.option("--sessions", type=click.IntRange(1), metavar="N", help="End after so many.")
@click.option("-q", "--quiet", is_flag=True, help="Show violations only.")
@json_option
def serve(**given: Any) -> None:
    """Run a strict SMTP server that tells what its clients do wrong.

    Every line is shown with the client's state by the table. What a client does
    against an RFC is reported with the section, and makes the exit code 1.
    """
    if given["list_faults"]:
        _list_faults(console())
        return
    if given["sink"]:
        _sink(given["host"], given["port"], console(stderr=True))
        return
    wrong = asyncio.run(_serve(given))
    click.get_current_context().exit(BAD if wrong else 0)


def _list_faults(out: "Console") -> None:
    from rich.text import Text

    from fsm_smtp.testing.server.faults import FAULTS

    for fault in FAULTS.values():
        out.print(Text(f"{fault.name}").append(f"  {fault.breaks}", "dim"), soft_wrap=True)


def _sink(host: str, port: int, out: "Console") -> None:
    from fsm_smtp.testing.sink import Sink

    sink = Sink(host, port)
    serving = threading.Thread(target=sink.run, name="sink", daemon=True)
    serving.start()
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: done.set())
    # Who reads this may end it at once.
    out.print(f"listening on {host}:{sink.port}", soft_wrap=True)
    done.wait()
    sink.stop()
    serving.join(5)


async def _serve(given: dict[str, Any]) -> bool:
    """Serve until it is over; whether a client has done something wrong."""
    from fsm_smtp.testing.server.listening import model_server

    out = console()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    listener = _Listener(out, quiet=given["quiet"], keep=_keeper(given["maildir"]))
    options, session = _options(given, listener), _session(given)
    async with model_server(options, session, host=given["host"], port=given["port"]) as server:

        def ended() -> None:
            if given["sessions"] is not None and server.ended >= given["sessions"]:
                over.set()

        server.on_end = ended
        where = f"listening on {given['host']}:{server.port}"
        console(stderr=True).print(where, soft_wrap=True)
        await over.wait()
    if given["json_file"] is not None:
        write_json([_as_dict(one) for one in server.sessions], given["json_file"])
    if given["json_file"] != "-":
        listener.sum_up(len(server.sessions), len(server.messages))
    return bool(server.violations)


def _options(given: dict[str, Any], listener: "_Listener") -> "Options":
    from fsm_smtp.testing.server.options import EXTENSIONS, Options

    tls = given["tls"] or given["implicit_tls"] or given["cert"] is not None
    mailboxes, domains = _known(given["recipients"])
    return Options(
        extensions=frozenset(EXTENSIONS),
        context=_context(given["cert"], given["key"]) if tls else None,
        implicit_tls=given["implicit_tls"],
        auth_in_clear=given["auth"],
        users={given["user"]: given["password"]} if given["auth"] else {},
        takes_all=not given["recipients"],
        domains=domains,
        mailboxes=mailboxes,
        size=50_000_000,
        listener=listener,
    )


def _known(recipients: tuple[str, ...]) -> tuple[frozenset[bytes], frozenset[str]]:
    parted = [one.rpartition("@") for one in recipients]
    return (
        frozenset(local.encode() for local, _, _ in parted),
        frozenset(domain.lower() for _, _, domain in parted),
    )


def _context(cert: str | None, key: str | None) -> ssl.SSLContext:
    if cert is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context
    try:
        from fsm_smtp.testing.server.certificate import server_context
    except ModuleNotFoundError as error:
        why = "--tls without --cert makes a certificate: pip install 'fsm-smtp[tls]'"
        raise click.ClickException(why) from error
    return server_context()


def _session(given: dict[str, Any]) -> "type[Session]":
    from fsm_smtp.testing.server.deviations import Deviations, load_deviations, ordered
    from fsm_smtp.testing.server.session import Session
    from fsm_smtp.yaml_source import nearest

    session: type[Session] = Session
    if given["faults"]:
        from fsm_smtp.testing.server.faults import FAULTS, faulty

        for name in given["faults"]:
            if name not in FAULTS:
                near = nearest(name, FAULTS)
                hint = f"did you mean {near!r}?" if near else "see --list-faults"
                raise click.UsageError(f"--fault: there is no {name!r}; {hint}")
        session = faulty(*given["faults"])
    if given["script"] is not None:
        session = ordered(session, Deviations(load_deviations(given["script"])))
    return session


def _keeper(maildir: str | None) -> "Callable[[Message], object] | None":
    if maildir is None:
        return None
    from fsm_smtp.testing.server.maildir import Maildir

    return Maildir(Path(maildir)).deliver


# -- what is shown ------------------------------------------------------------------------------

_VOICES = {"C": "cyan", "S": "green", "-": "dim"}


@dataclass
class _Listener:
    """Prints what happens, numbered by session, and hands messages on."""

    out: "Console"
    quiet: bool
    keep: "Callable[[Message], object] | None"
    wrong: int = 0
    _numbers: dict[int, int] = field(default_factory=dict[int, int])

    def __call__(self, record: "SessionRecord", what: "Event | Violation | Message") -> None:
        from fsm_smtp.session import Event
        from fsm_smtp.testing.server.watch import Violation

        number = self._numbers.setdefault(id(record), len(self._numbers) + 1)
        if isinstance(what, Violation):
            self.wrong += 1
            self._print(number, f"✗ {what}", "bold red")
        elif isinstance(what, Event):
            if not self.quiet:
                self._show(number, what)
        elif self.keep is not None:
            self.keep(what)

    def _show(self, number: int, event: "Event") -> None:
        for line in event.text.split("\n"):
            self._print(number, f"{event.after:<18} {event.who}: {line}", _VOICES[event.who])

    def _print(self, number: int, text: str, style: str) -> None:
        from rich.text import Text

        self.out.print(Text(f"{number:>3}  ", "dim").append(text, style), soft_wrap=True)

    def sum_up(self, sessions: int, messages: int) -> None:
        """The last line."""
        from rich.text import Text

        counts = f"{_so_many(sessions, 'session')}, {_so_many(messages, 'message')}: "
        verdict = _so_many(self.wrong, "violation") if self.wrong else "nothing wrong"
        style = "bold red" if self.wrong else "bold green"
        self.out.print(Text(counts).append(verdict, style), soft_wrap=True)


def _so_many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _as_dict(record: "SessionRecord") -> dict[str, Any]:
    return {
        "secured": record.secured,
        "user": record.user,
        "messages": [
            {
                "sender": message.sender.decode("utf-8", "replace"),
                "recipients": [one.path.decode("utf-8", "replace") for one in message.recipients],
                "octets": len(message.content),
            }
            for message in record.messages
        ],
        "violations": [
            {"command": one.command, "state": one.state, "what": one.what, "rfc": one.rfc}
            for one in record.violations
        ],
    }
