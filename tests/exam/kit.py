"""The test kit examined: ``python -m tests.exam.kit [--seeds N] [--quiet N]``.

Single faults of servers and of clients, each with several seeds: how many sessions until it is
found, and how many steps the session has that is shown. Then the faithful server and our own
clients, where nothing may be found. Ends with 1 if a median is above `MOST`, if more steps are
shown than the shortest session has and one, or if there is a false alarm.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
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


def examined(
    names: dict[str, int], find: Callable[[str, int], Found], seeds: int
) -> tuple[list[str], bool]:
    """A line for each fault, and whether all is well."""
    lines, well = [], True
    for name, shortest in names.items():
        found = [find(name, seed) for seed in range(1, seeds + 1)]
        sessions, steps = median(one for one, _ in found), max(two for _, two in found)
        right = sessions <= MOST and steps <= shortest + 1
        well = well and right
        lines.append(f"{sessions:7.0f} {shortest:9} {steps:6}  {name}{'' if right else '  <--'}")
        print(lines[-1], flush=True)
    return lines, well


def false_alarms(sessions: int) -> list[str]:
    """What is found where nothing is wrong."""
    alarms: list[str] = []
    try:
        coverage = explore(machine()[0], examples=sessions, random_seed=1)
        print("the faithful server:", coverage.lines(0)[0], flush=True)
    except AssertionError as error:
        alarms.append(str(error))
    in_clear = (via_client, via_async_client, send_by(Faithful))
    secured = (via_secured_client, send_by(Secured))
    for send in (*in_clear, *secured):
        more = send in secured
        client = SMTPClientMachine(send, errors=(ProtocolError, NotSent), tls=more, auth=more)
        try:
            client.explore(examples=sessions, random_seed=1)
            name = f"{send.__qualname__}{', with STARTTLS and AUTH' if more else ''}"
            print(f"{name}:", client.lines()[0], flush=True)
        except ClientViolation as error:
            alarms.append(str(error))
    return alarms


def postfix() -> bool:
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
    print(done.stdout)
    # 1 is a finding: bare LF shows under the section of whatever reply comes out of step first.
    return done.returncode in (0, 1) and "(100%)" in done.stdout


def main() -> int:
    """Print everything; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="tests.exam.kit")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quiet", type=int, default=2000, help="sessions without a false alarm")
    given = parser.parse_args()
    print(f"sessions (median of {given.seeds} seeds), shortest, shown at most, fault\n\nServers")
    _, servers = examined(SHORTEST, server_fault, given.seeds)
    print("\nClients")
    chosen = {name: orders for name, (_, orders) in CLIENTS.items()}
    _, clients = examined(chosen, client_fault, given.seeds)
    print(f"\nWhere nothing is wrong, in {given.quiet} sessions each")
    alarms = false_alarms(given.quiet)
    print(*alarms, sep="\n")
    print(f"{len(alarms)} false alarms")
    print("\nPostfix")
    visited = postfix()
    return int(not (servers and clients and visited) or bool(alarms))


if __name__ == "__main__":
    sys.exit(main())
