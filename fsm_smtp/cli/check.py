"""``fsm-smtp check``: arguments in, reporters attached, exit code out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsm_smtp.cli.target import host_and_port
from fsm_smtp.yaml_source import nearest

if TYPE_CHECKING:
    from fsm_smtp.check.cases.case import Verdict
    from fsm_smtp.check.engine.connection import Target
    from fsm_smtp.check.engine.session import Settings
    from fsm_smtp.check.reports.gate import Gate

SMTP_PORT = 25
SMTPS_PORT = 465

_HOST_NAME = re.compile(r"([A-Za-z0-9.-]+|\[[!-Z^-~]+\])\Z")
_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+\Z")

#: What to install, by the module that is missing.
_EXTRAS = {
    "aiosmtpd": "without a target a server is embedded: pip install 'fsm-smtp[embedded]'",
    "jinja2": "--html needs a package: pip install 'fsm-smtp[html]'",
}

EPILOG = """\b
Examples:
  fsm-smtp check                          judge an embedded aiosmtpd
  fsm-smtp check mx.example.net --recipient test@example.net
  fsm-smtp check '[::1]:2525' --only '5321-4.1.1.*' --json report.json
  fsm-smtp check mail.example.net:587 --starttls --user me
  fsm-smtp check --list

\b
Reports and gates:
  fsm-smtp check mx.example.net --html report.html --junit junit.xml
  fsm-smtp check mx.example.net --fail-on fail,warn,timeout
  fsm-smtp check mx.example.net --json known.json
  fsm-smtp check mx.example.net --baseline known.json     only new failures fail
  fsm-smtp compare old.json new.json                      what has changed

\b
Verdicts:
  pass, fail          a MUST is kept, or broken
  warn                a SHOULD is not followed
  latitude, info      the RFC leaves it open; worth knowing
  skip                depends on an extension that is not offered
  inconclusive        an earlier refusal or a policy hides the answer
  timeout             no reply in time
  error               a mistake of ours

\b
Exit codes:
  0  no case fails (with --fail-on: has such a verdict; with --baseline: a new one)
  1  a case fails
  2  wrong usage, a target that cannot be reached or lets no case be judged, a run
     broken off, a report that cannot be written, or an error of ours, with nothing failed
"""


class UsageError(click.ClickException):
    """One clear line, exit code 2."""

    exit_code = 2


def _address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _ADDRESS.match(value):
        raise UsageError(
            f"--{str(option.name).replace('_', '-')}: {value!r} is no address user@domain"
        )
    return value


def _name(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _HOST_NAME.match(value):
        raise UsageError(f"--ehlo-name: {value!r} is no domain name or address literal")
    return value


def _verdicts(context: click.Context, option: click.Parameter, value: str) -> "frozenset[Verdict]":
    from fsm_smtp.check.cases.case import Verdict

    names = [name.strip() for name in value.split(",")]
    choice = [verdict.value for verdict in Verdict if verdict is not Verdict.PASS]
    for name in names:
        if name not in choice:
            near = nearest(name, choice)
            hint = f"; did you mean {near}?" if near else f"; there are {', '.join(choice)}"
            raise UsageError(f"--fail-on: {name!r} is no verdict that can fail a run{hint}")
    return frozenset(map(Verdict, names))


def _option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    return click.option(*names, **settings)


@click.command(epilog=EPILOG)
@click.argument("target", metavar="[HOST[:PORT]]", required=False)
@_option("--json", "json_file", metavar="FILE|-", help="Write the report as JSON; - for stdout.")
@_option("--junit", "junit_file", metavar="FILE|-", help="… as JUnit XML.")
@_option("--html", "html_file", metavar="FILE", help="… as one HTML page that needs nothing else.")
@_option(
    "--fail-on",
    callback=_verdicts,
    default="fail",
    show_default=True,
    metavar="VERDICTS",
    help="What makes the exit code 1, such as fail,warn,timeout.",
)
@_option(
    "--baseline",
    "baseline_file",
    metavar="FILE",
    help="An earlier JSON report: what failed there already is accepted.",
)
@_option("--recipient", callback=_address, metavar="ADDRESS", help="A mailbox that exists there.")
@_option(
    "--unknown-recipient",
    callback=_address,
    metavar="ADDRESS",
    help="One that does not.  [default: no-such-mailbox-here@ the recipient's domain]",
)
@_option("--sender", callback=_address, metavar="ADDRESS", help="The sender of test messages.")
@_option("--ehlo-name", callback=_name, metavar="NAME", help="The name we give in EHLO.")
@_option("--user", envvar="FSM_SMTP_USER", show_envvar=True, help="Authenticate as this user.")
@_option("--password", envvar="FSM_SMTP_PASSWORD", show_envvar=True, help="With this password.")
@_option("--starttls", is_flag=True, help="Judge what the server does behind STARTTLS.")
@_option("--tls", is_flag=True, help="TLS from the first octet; the default port is then 465.")
@_option("--insecure", is_flag=True, help="Do not verify the certificate.")
@_option("--only", multiple=True, metavar="GLOB", help="Only cases with such an id; repeatable.")
@_option("--exclude", multiple=True, metavar="GLOB", help="No case with such an id; repeatable.")
@_option("--slow", is_flag=True, help="Play the cases that take minutes too.")
@_option("--strict", is_flag=True, help="A SHOULD that is not followed fails too.")
@_option("--model", is_flag=True, help="Play the tests that follow from the server's machine too.")
@_option(
    "--extra-states",
    type=click.IntRange(0, 2),
    metavar="N",
    help="With --model: the server may have N states more.  [default: 0]",
)
@_option(
    "--model-extensions",
    is_flag=True,
    help="With --model: AUTH, BDAT and STARTTLS too, as far as they are offered.",
)
@_option(
    "--reset",
    type=click.Choice(["connection", "rset", "auto"]),
    help="With --model: between sequences open a new connection, or send RSET where it is proven "
    "to reset this server; auto: where that saves time and guarantees as much.  [default: auto]",
)
@_option("--list", "list_only", is_flag=True, help="List the cases and stop.")
@_option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds to wait for a reply.",
)
@_option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Sessions at a time.",
)
@_option("-v", "--verbose", is_flag=True, help="Show latitude, info and skip as well.")
def check(target: str | None, **options: Any) -> None:
    """Judge an SMTP server by the RFCs.

    HOST is a name or an address, an IPv6 address in brackets. Without it, an embedded aiosmtpd
    is started and judged. Test messages go to --recipient only.
    """
    # rich, asyncio and the YAML parser together cost more than the rest of the command line.
    from fsm_smtp.check import command
    from fsm_smtp.check.cases.suite import load_suite
    from fsm_smtp.errors import TargetUnreachable

    _consistent(target, options)
    server, settings = _target(target, options), _settings(options)
    try:
        suite = load_suite().select(options["only"], options["exclude"])
    except ValueError as error:
        raise UsageError(str(error)) from error
    if options["list_only"]:
        command.list_cases(suite)
        return
    gate = _gate(options)
    request = command.Request(
        suite=suite,
        target=server,
        settings=settings,
        gate=gate,
        json_file=options["json_file"],
        junit_file=options["junit_file"],
        html_file=options["html_file"],
        verbose=options["verbose"],
        model_extra=(options["extra_states"] or 0) if options["model"] else None,
        model_extensions=options["model_extensions"],
        model_reset=options["reset"] or "auto",
    )
    try:
        code = command.perform(request)
    except TargetUnreachable as error:
        raise UsageError(str(error)) from error
    except ModuleNotFoundError as error:
        what = _EXTRAS.get((error.name or "").partition(".")[0])
        if what is None:
            raise
        raise UsageError(what) from error
    click.get_current_context().exit(code)


def _consistent(target: str | None, options: dict[str, Any]) -> None:
    """Refuse options that contradict one another, before anything is connected."""
    tls = options["starttls"] or options["tls"]
    files = {name: options[f"{name}_file"] for name in ("json", "junit", "html")}
    wrong = {
        "--extra-states says nothing without --model": (
            options["extra_states"] is not None and not options["model"]
        ),
        "--model-extensions says nothing without --model": (
            options["model_extensions"] and not options["model"]
        ),
        "--reset says nothing without --model": options["reset"] and not options["model"],
        "--starttls and --tls exclude each other": options["starttls"] and options["tls"],
        "--insecure says nothing without --starttls or --tls": options["insecure"] and not tls,
        "the embedded server has no TLS: name a target": tls and target is None,
        "--user and --password (or their environment variables) belong together": (
            (options["user"] is None) != (options["password"] is None)
        ),
        "--json and --junit cannot both be written to standard output": (
            files["json"] == files["junit"] == "-"
        ),
        "--html: a page is written to a file": files["html"] == "-",
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise UsageError(what)
    for name, file in files.items():
        _writable(name, file)


def _writable(name: str, file: str | None) -> None:
    """Refuse a file that cannot be one, before anything is connected."""
    if file is None or file == "-":
        return
    if not Path(file).absolute().parent.is_dir():
        raise UsageError(f"--{name}: {file!r} is in no folder that exists")
    if Path(file).is_dir():
        raise UsageError(f"--{name}: {file!r} is a folder")


def _gate(options: dict[str, Any]) -> "Gate":
    from fsm_smtp.check.reports.gate import Gate
    from fsm_smtp.check.reports.saved import UnreadableReport, read_report

    file = options["baseline_file"]
    try:
        baseline = read_report(file) if file is not None else None
    except UnreadableReport as error:
        raise UsageError(f"--baseline: {error}") from error
    return Gate(options["fail_on"], baseline)


def _settings(options: dict[str, Any]) -> "Settings":
    from fsm_smtp.check.engine.session import Settings

    names = ("sender", "recipient", "unknown_recipient", "ehlo_name", "user", "password")
    given = {name: options[name] for name in names if options[name] is not None}
    if "recipient" in given and "unknown_recipient" not in given:
        domain = given["recipient"].rpartition("@")[2]
        given["unknown_recipient"] = f"no-such-mailbox-here@{domain}"
    switches = {name: options[name] for name in ("slow", "strict")}
    return Settings(**given, timeout=options["timeout"], jobs=options["jobs"], **switches)


def _target(text: str | None, options: dict[str, Any]) -> "Target | None":
    from fsm_smtp.check.engine.connection import Target, TLSMode

    if text is None:
        return None
    try:
        host, port = host_and_port(text, SMTPS_PORT if options["tls"] else SMTP_PORT)
    except ValueError as error:
        raise UsageError(str(error)) from error
    mode = TLSMode.STARTTLS if options["starttls"] else TLSMode.NONE
    if options["tls"]:
        mode = TLSMode.IMPLICIT
    return Target(host, port, mode, verify=not options["insecure"])
