"""``fsm-smtp send``: a real message through the machine, and a fate for each recipient."""

import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from fsm_smtp.cli.target import host_and_port
from fsm_smtp.cli.terminal import console, json_option, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from fsm_smtp.client import Extensions, Options, SendResult
    from fsm_smtp.session import Event, Observer

#: A message from which a progress bar is worth showing, in octets.
LARGE = 1024 * 1024

EPILOG = """\b
Examples:
  fsm-smtp send --server localhost:2525 --from a@example.org --to b@example.org mail.eml
  echo hello | fsm-smtp send -v --server mx.example.org --from '' --to b@example.org
  fsm-smtp send --server mail.example.org:587 --security starttls --user me \\
      --from me@example.org --to b@example.org --to c@example.org mail.eml
  fsm-smtp send --server smtp.example.org:587 --security starttls --auth xoauth2 --user me \\
      --from me@example.org --to b@example.org --notify failure --ret hdrs mail.eml

\b
Exit codes:
  0  every recipient was accepted
  1  a recipient was refused, or its fate is unknown
  2  wrong usage, or no session with the server
"""


@click.command(epilog=EPILOG)
@click.option("--server", required=True, metavar="HOST[:PORT]", help="The server; port 25 or 465.")
@click.option("--from", "sender", required=True, metavar="A", help="The sender; '' for none.")
@click.option(
    "--to", "recipients", required=True, multiple=True, metavar="B", help="Recipient; repeatable."
)
@click.option(
    "--security",
    type=click.Choice(["none", "opportunistic", "starttls", "tls"]),
    default="opportunistic",
    show_default=True,
    help="In clear; STARTTLS if it can be had; STARTTLS or nothing; TLS from the first octet.",
)
@click.option("--insecure", is_flag=True, help="Do not verify the certificate.")
@click.option("--ca", type=click.Path(dir_okay=False), metavar="FILE", help="Trust these roots.")
@click.option("--user", envvar="FSM_SMTP_USER", show_envvar=True, help="Authenticate as this user.")
@click.option(
    "--password", envvar="FSM_SMTP_PASSWORD", show_envvar=True, help="With this password."
)
@click.option(
    "--token", envvar="FSM_SMTP_TOKEN", show_envvar=True, help="Or with this OAuth token."
)
@click.option(
    "--auth",
    "mechanisms",
    multiple=True,
    metavar="MECHANISM",
    help="Only this SASL mechanism; repeatable, best first.  [default: what is sound]",
)
@click.option("--auth-in-clear", is_flag=True, help="Send credentials even without TLS.")
@click.option("--ehlo-name", metavar="NAME", help="The name given in EHLO.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    help="Seconds to wait.  [default: what RFC 5321 recommends for each command]",
)
@click.option("--lmtp", is_flag=True, help="Speak LMTP: a reply for each recipient.")
@click.option("--chunking", is_flag=True, help="Send the content by BDAT.")
@click.option(
    "--require-tls", is_flag=True, help="REQUIRETLS: verified TLS on every hop, or nothing."
)
@click.option(
    "--notify",
    type=click.Choice(["never", "success", "failure", "delay"], case_sensitive=False),
    multiple=True,
    help="When to report on the delivery (DSN); repeatable.",
)
@click.option(
    "--ret",
    type=click.Choice(["full", "hdrs"], case_sensitive=False),
    help="What a report returns of the message (DSN).",
)
@click.option("--envid", metavar="ID", help="An identifier that reports carry (DSN).")
@json_option
@click.option("-v", "--verbose", is_flag=True, help="Show the transcript, with the states.")
@click.argument("file", type=click.File("rb"), default="-")
def send(file: BinaryIO, **given: Any) -> None:
    """Send the message in FILE (or standard input) through the machine."""
    host, port = _target(given)
    human = console(stderr=True)
    observer = _transcript(human) if given["verbose"] else None
    result = _sent(host, port, _options(given, observer), given, file, human)
    json_file = given["json_file"]
    if json_file is not None:
        write_json(_as_dict(result), json_file)
    if json_file != "-":
        _print_fates(result, console())
    click.get_current_context().exit(0 if result.all_accepted else 1)


def _target(given: dict[str, Any]) -> tuple[str, int]:
    try:
        return host_and_port(given["server"], 465 if given["security"] == "tls" else 25)
    except ValueError as error:
        raise click.UsageError(f"--server: {error}") from error


def _options(given: dict[str, Any], observer: "Observer | None") -> "Options":
    from fsm_smtp.client import Options

    secret = given["password"] or given["token"]
    mechanisms = tuple(name.upper() for name in given["mechanisms"])
    if (given["user"] is None) != (secret is None) and "EXTERNAL" not in mechanisms:
        raise click.UsageError("--user belongs with --password or --token")
    try:
        tls = ssl.create_default_context(cafile=given["ca"])
    except OSError as error:
        raise click.UsageError(f"--ca: {error}") from error
    if given["insecure"]:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return Options(
        security=given["security"],
        user=given["user"],
        password=given["password"],
        token=given["token"],
        mechanisms=mechanisms or None,
        protocol="lmtp" if given["lmtp"] else "smtp",
        clear_auth=given["auth_in_clear"],
        ehlo_name=given["ehlo_name"],
        timeout=given["timeout"],
        tls=tls,
        observer=observer,
    )


def _sent(
    host: str,
    port: int,
    options: "Options",
    given: dict[str, Any],
    file: BinaryIO,
    human: "Console",
) -> "SendResult":
    from fsm_smtp.client import Client

    with Client(host, port, options) as client, _progress(file, human) as content:
        recipients = given["recipients"]
        return client.send_message(
            content, given["sender"], recipients, extensions=_extensions(given)
        )


def _extensions(given: dict[str, Any]) -> "Extensions":
    from fsm_smtp.client import Extensions

    return Extensions(
        ret=given["ret"] and given["ret"].upper(),
        envid=given["envid"],
        notify=[each.upper() for each in given["notify"]],
        chunking=given["chunking"],
        require_tls=given["require_tls"],
    )


# -- what is shown ------------------------------------------------------------------------------


@contextmanager
def _progress(file: BinaryIO, human: "Console") -> Generator[BinaryIO]:
    """The file itself, or one that moves a bar while it is read."""
    size = _size(file)
    if not human.is_terminal or size is None or size < LARGE:
        yield file
        return
    from rich.progress import Progress

    with Progress(console=human, transient=True) as bar:
        yield bar.wrap_file(file, size, description="sending")


def _size(file: BinaryIO) -> int | None:
    if not file.seekable():
        return None
    start = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(start)
    return end - start


#: What a transcript line begins with, and its colour, by who speaks.
_VOICES = {"C": "cyan", "S": "green", "-": "dim"}


def _transcript(human: "Console") -> "Observer":
    """An observer that prints each event with the state it leads to."""
    from rich.text import Text

    def show(event: "Event") -> None:
        for number, line in enumerate(event.text.split("\n")):
            shown = Text(f"{event.after if not number else '':<18}", "bold")
            shown.append(f"{event.who}: {line}", _VOICES[event.who])
            human.print(shown, soft_wrap=True)
        for note in event.notes:
            human.print(Text(f"{'':<18}   note: {note}", "yellow"), soft_wrap=True)

    return show


_MARKS = {"accepted": ("✓", "green"), "refused": ("✗", "red"), "unknown": ("?", "yellow")}


def _print_fates(result: "SendResult", out: "Console") -> None:
    from rich.text import Text

    for fate in result.fates:
        mark, colour = _MARKS[fate.outcome]
        line = Text(f"{mark} {fate.outcome:<9}", colour).append(f" {fate.recipient}", "default")
        why = str(fate.reply).replace("\n", " / ") if fate.reply else str(result.error)
        out.print(line.append(f"  {why}", "dim"), soft_wrap=True)


def _as_dict(result: "SendResult") -> dict[str, Any]:
    return {
        "sender": result.sender,
        "error": str(result.error) if result.error else None,
        "recipients": [
            {
                "recipient": fate.recipient,
                "outcome": fate.outcome,
                "permanent": fate.permanent,
                "status": fate.status,
                "code": fate.reply.code if fate.reply else None,
                "reply": str(fate.reply) if fate.reply else None,
            }
            for fate in result.fates
        ],
    }
