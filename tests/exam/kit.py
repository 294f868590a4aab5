"""The test kit examined: ``python -m tests.exam.kit [--seeds N] [--quiet N]``; writes docs/kit.md.

Single faults of servers and of clients, each with several seeds: how many sessions until it is
found, and how many steps the session has that is shown. Then the faithful server and our own
clients, where nothing may be found. Ends with 1 if a median is above `MOST`, if more steps are
shown than the shortest session has and one, or if there is a false alarm.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from fsm_smtp.errors import ProtocolError
from fsm_smtp.testing.machines.client import SMTPClientMachine
from fsm_smtp.testing.machines.exploring import explore
from fsm_smtp.testing.machines.failure import ClientViolation, ServerViolation
from tests.servers.base import RECIPIENTS, SENDER, UNKNOWN
from tests.servers.fixtures import park
from tests.testing.machines.faulty_client import (
    CLIENTS,
    Faithful,
    NotSent,
    Secured,
    machine_of,
    send_by,
)
from tests.testing.machines.faulty_servers import SHORTEST, machine
from tests.testing.machines.test_client_machine import (
    via_async_client,
    via_client,
    via_secured_client,
)

PAGE = Path(__file__).parents[2] / "docs" / "kit.md"
SEEDS, SESSIONS = 10, 2000

_HEAD = """\
# The test kit examined

What `SMTPServerMachine` and `SMTPClientMachine` find in servers and clients that have one fault
each, by {seeds} seeds: the median of the sessions until it is found (200 at most are wanted), the
steps of the shortest session that shows it (for a client: replies that are not a faithful
server's), and the most steps that a session shown had (one more is allowed). This page is what
`make exam` saw on {date}.
"""

#: Sessions within which a fault is to be found, and what stands for one that is not.
MOST, NEVER = 200, 10_000
#: What Postfix is known for: header fields as commands, and bare LF (docs/findings.md).
POSTFIX = ("5321 §3.8", "5321 §4.2")
#: Sessions until it is found, and steps that are shown.
Found = tuple[int, int]


def server_fault(name: str, seed: int) -> Found:
    made, _ = machine(name)
    try:
        explore(made, examples=MOST, random_seed=seed)
    except ServerViolation as error:
        return error.sessions, len(error.steps)
    return NEVER, 0


def client_fault(name: str, seed: int) -> Found:
    try:
        machine_of(name).explore(examples=MOST, random_seed=seed)
    except ClientViolation as error:
        return error.sessions, len(error.orders)
    return NEVER, 0


@dataclass
class Report:
    """What was seen, shown as it comes."""

    lines: list[str] = field(default_factory=list[str])
    well: bool = True

    def say(self, line: str = "", *, right: bool = True) -> None:
        """A line; *right* says whether it is as it should be."""
        self.well = self.well and right
        self.lines.append(line)
        print(line, "" if right else " <--", flush=True)


def examined(
    report: Report, names: dict[str, int], find: Callable[[str, int], Found], seeds: int
) -> None:
    """A line for each fault."""
    report.say("| fault | sessions | shortest | shown |")
    report.say("|---|--:|--:|--:|")
    for name, shortest in names.items():
        found = [find(name, seed) for seed in range(1, seeds + 1)]
        sessions, steps = median(one for one, _ in found), max(two for _, two in found)
        right = sessions <= MOST and steps <= shortest + 1
        report.say(f"| {name} | {sessions:.0f} | {shortest} | {steps} |", right=right)


def false_alarms(report: Report, sessions: int) -> None:
    """What is found where nothing is wrong."""
    report.say("| explored | visited | false alarms |")
    report.say("|---|---|--:|")

    def quiet(name: str, explored: Callable[[], str]) -> None:
        try:
            report.say(f"| {name} | {explored()} | 0 |")
        except AssertionError as error:  # a violation is one
            report.say(f"| {name} | {' / '.join(str(error).splitlines())} | 1 |", right=False)

    quiet(
        "the faithful server",
        lambda: explore(machine()[0], examples=sessions, random_seed=1).lines(0)[0],
    )
    for name, send, more in (
        ("`Client`", via_client, False),
        ("`AsyncClient`", via_async_client, False),
        ("the faithful client", send_by(Faithful), False),
        ("`Client`, with STARTTLS and AUTH", via_secured_client, True),
        ("the faithful client, with STARTTLS and AUTH", send_by(Secured), True),
    ):
        client = SMTPClientMachine(send, errors=(ProtocolError, NotSent), tls=more, auth=more)

        def explored(client: SMTPClientMachine = client) -> str:
            client.explore(examples=sessions, random_seed=1)
            return client.lines()[0]

        quiet(name, explored)


def postfix(report: Report) -> None:
    """``pytest --smtp-target`` against Postfix: to its end, with every transition visited."""
    with park() as servers, TemporaryDirectory() as folder:
        server = servers.start("postfix")
        options = [
            *("--smtp-target", f"{server.host}:{server.port}", "--smtp-profile", "thorough"),
            *("--smtp-sender", SENDER, "--smtp-recipient", RECIPIENTS[0]),
            *("--smtp-unknown-recipient", UNKNOWN, "--smtp-seed", "1"),
            *(word for section in POSTFIX for word in ("--smtp-known", section)),
        ]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if "transitions" in line or " in " in line]
    # 1 is a finding: bare LF shows under the section of whatever reply comes out of step first.
    right = done.returncode in (0, 1) and "(100%)" in done.stdout
    report.say(f"`{' '.join(['pytest', *options[2:]])}` against Postfix:", right=right)
    report.say()
    for line in told:
        report.say(f"    {line}")


def main() -> int:
    """Show everything, and write the page of a full run; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="tests.exam.kit")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--quiet", type=int, default=SESSIONS, help="sessions without an alarm")
    given = parser.parse_args()
    report = Report()
    report.say(_HEAD.format(date=datetime.now(UTC).date(), seeds=given.seeds))
    report.say("## Servers with one fault\n")
    examined(report, SHORTEST, server_fault, given.seeds)
    report.say("\n## Clients with one fault\n")
    chosen = {name: orders for name, (_, orders) in CLIENTS.items()}
    examined(report, chosen, client_fault, given.seeds)
    report.say(f"\n## Where nothing is wrong: {given.quiet} sessions each\n")
    false_alarms(report, given.quiet)
    report.say("\n## A real server\n")
    postfix(report)
    if (given.seeds, given.quiet) == (SEEDS, SESSIONS):
        PAGE.write_text("\n".join(report.lines) + "\n", "utf-8")
    return int(not report.well)


if __name__ == "__main__":
    sys.exit(main())
