"""Ready-made tests of the server that ``--smtp-target`` names; no test file is needed."""

import os
import socket
from typing import Any, cast

import pytest

from fsm_smtp.testing.machines.coverage import Coverage
from fsm_smtp.testing.machines.exploring import EXAMPLES, explore
from fsm_smtp.testing.machines.failure import ServerViolation
from fsm_smtp.testing.machines.server import SMTPServerMachine

#: Under this name a worker of pytest-xdist hands its coverage to the controller.
_OUTPUT = "smtp_coverage"
#: Tests and examples of each, by profile; the thorough one ends when all is visited.
_PROFILES = {"quick": (4, EXAMPLES // 4), "thorough": (10, EXAMPLES)}
_PATIENCE = 10.0


class TargetTests:
    """The plugin that adds the tests, and their coverage to the summary.

    Args:
        config: pytest's configuration, with our options.

    Raises:
        pytest.UsageError: the target is no host and port.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        target = str(config.getoption("smtp_target"))
        host, _, port = target.rpartition(":")
        if not host or not port.isdigit():
            raise pytest.UsageError(f"--smtp-target {target}: HOST:PORT, please")
        self.address = host.strip("[]"), int(port)
        self.machine = SMTPServerMachine(self._connect, **self._who())
        self.coverage: Coverage = self.machine.subject.coverage
        profile = str(config.getoption("smtp_profile"))
        self.thorough = profile == "thorough"
        self.tests, self.examples = _PROFILES[profile]
        self.examples = config.getoption("smtp_examples") or self.examples

    def _connect(self) -> socket.socket:
        return socket.create_connection(self.address, _PATIENCE)

    def _who(self) -> dict[str, Any]:
        options = {
            "sender": "smtp_sender",
            "recipient": "smtp_recipient",
            "unknown_recipient": "smtp_unknown_recipient",
            "user": "smtp_user",
        }
        given = {name: self.config.getoption(option) for name, option in options.items()}
        who: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if "user" in who:
            who["password"] = os.environ.get("SMTP_PASSWORD", "")
        who["known"] = self.config.getoption("smtp_known")
        return {**who, "strict": bool(self.config.getoption("smtp_strict"))}

    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add our tests to whatever was found."""
        make = cast("Any", Exploration).from_parent
        for number in range(self.tests):
            items.append(make(session, name=f"smtp-target[{number}]", tests=self, number=number))

    def run(self, number: int) -> None:
        """One test: a part of the exploration."""
        seed = self.config.getoption("smtp_seed")
        if (
            number
            and not self.coverage.unvisited()
            and self.config.getoption("smtp_profile") != "quick"
        ):
            return  # nothing is left to visit
        explore(
            self.machine,
            examples=self.examples,
            random_seed=None if seed is None else seed * self.tests + number,
        )

    def pytest_sessionfinish(self) -> None:
        """A worker hands its coverage on."""
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = self.coverage.as_data()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """The controller takes a worker's coverage in."""
        self.coverage.add(node.workeroutput.get(_OUTPUT, {}))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was visited."""
        terminalreporter.section(f"SMTP: {self.config.getoption('smtp_target')}")
        for line in self.coverage.lines():
            terminalreporter.line(line)


class Exploration(pytest.Item):
    """One of the tests."""

    def __init__(self, *, tests: TargetTests, number: int, **others: Any) -> None:
        cast("Any", super()).__init__(**others)
        self.tests = tests
        self.number = number

    def runtest(self) -> None:
        """Explore."""
        self.tests.run(self.number)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A finding is its transcript, and no traceback of ours."""
        if isinstance(excinfo.value, ServerViolation):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        """Where it stands: nowhere."""
        return "fsm_smtp", None, self.name
