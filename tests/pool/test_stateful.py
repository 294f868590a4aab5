"""Any order of borrowing, misuse, giving back, and servers that do wrong; against a model."""

from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fsm_smtp.errors import ProtocolError
from fsm_smtp.pool import Limits, PoolTimeout, Server
from fsm_smtp.testing import SMTPServer
from fsm_smtp.testing.server.connection import Connection
from fsm_smtp.wire import commands
from tests.client.driver import ADAPTERS
from tests.pool.driver import OPTIONS, SENDER, AnyPool, pooled
from tests.pool.serving import arrived, offering

#: What a borrower leaves open: commands, each of which the server accepts.
LEFT_OPEN = (
    (),
    (commands.mail("stranger@example.test"),),
    (commands.mail("stranger@example.test"), commands.rcpt("victim@example.test")),
    (
        commands.mail("stranger@example.test"),
        commands.rcpt("victim@example.test"),
        commands.data(),
    ),
    (commands.helo("client.example.test"),),
    (commands.quit_(),),
)
#: What servers say in place of the reply to a verb; nothing: they close the connection.
WRONGS: tuple[dict[str, Any], ...] = (
    {"reply": "421 4.3.2 closing", "drop": True},
    {"drop": True, "lie": True},
    {"reply": "451 4.3.0 later"},
    {"reply": "554 5.3.0 never"},
)
MESSAGES = 3


class Pools(RuleBasedStateMachine):
    """One pool of three connections to two servers, of which each may have two."""

    adapter = ""

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        self.servers = [self.stack.enter_context(offering("SIZE")) for _ in range(2)]
        self.now = 0.0
        limits = Limits(connections=2, messages=MESSAGES, age=100, idle=1000)
        self.pool: AnyPool = self.stack.enter_context(
            pooled(self.adapter, 3, self.servers[0].port, limits=limits, clock=lambda: self.now)
        )
        self.lent: list[tuple[Any, SMTPServer, Connection]] = []
        self.accepted: set[str] = set()
        self.open_ended: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        for client, _, _ in self.lent:
            self.pool.release(client)
        self.pool.close()
        usage = self.pool.usage
        assert (usage.lent, usage.idle, usage.waiting) == (0, 0, 0)
        self.stack.close()
        taken = arrived(self.servers[0]) + arrived(self.servers[1])
        assert max(taken.values(), default=1) == 1, "a message came twice"
        assert self.accepted <= set(taken) <= self.accepted | self.open_ended

    @rule(number=st.integers(0, 1))
    def acquire(self, number: int) -> None:
        server = self.servers[number]
        own = sum(each is server for _, each, _ in self.lent)
        wanted = Server("127.0.0.1", server.port, OPTIONS)
        if len(self.lent) == 3 or own == 2:
            with pytest.raises(PoolTimeout):
                self.pool.acquire(wanted)
            return
        client = self.pool.acquire(wanted)
        assert client not in [each for each, _, _ in self.lent]
        address = _address(client)
        link = next(each for each in reversed(server.connections) if each.peer == address)
        commands_so_far = link.record.commands
        assert client.session.may("send_mail")
        assert client.session.configuration["greeted"] == "ehlo"
        assert client.session.configuration["transaction"] == "none"
        # A new connection, or one that has just been proved.
        proof = b"RSET" if len(commands_so_far) > 1 else b"EHLO client.example.test"
        assert commands_so_far[-1] == proof
        assert sum(each.startswith(b"MAIL") for each in commands_so_far) < MESSAGES
        self.lent.append((client, server, link))

    @precondition(lambda self: self.lent)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        client, _, _ = held = data.draw(st.sampled_from(self.lent))
        self.lent.remove(held)
        self.pool.release(client)
        with pytest.raises(ValueError, match="not lent"):
            self.pool.release(client)

    @precondition(lambda self: self.lent)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        client, _, _ = data.draw(st.sampled_from(self.lent))
        self.count += 1
        to = f"to{self.count}@example.test"
        try:
            result = self.pool.run(client.send_message(b"hello\r\n", SENDER, [to]))
        except (ProtocolError, RuntimeError):
            return  # in the middle of something, or closed: nothing was written
        if result.fates[0].outcome == "accepted":
            self.accepted.add(to)
        elif result.fates[0].outcome == "unknown":
            self.open_ended.add(to)

    @precondition(lambda self: self.lent)
    @rule(data=st.data(), left=st.sampled_from(LEFT_OPEN))
    def leave_open(self, data: st.DataObject, left: tuple[Any, ...]) -> None:
        client, _, _ = data.draw(st.sampled_from(self.lent))
        try:
            for command in left:
                self.pool.run(client.command(command))
        except (ProtocolError, RuntimeError):
            pass  # an earlier step has made it illegal

    @precondition(lambda self: self.lent)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.lent))[0].close()

    # Servers run in threads of their own. So that a run can be repeated, what is drawn does not
    # depend on how far they are: any connection there ever was may be chosen.

    def links(self) -> list[Connection]:
        return [link for server in self.servers for link in server.connections]

    @rule(
        pick=st.integers(0, 99),
        verb=st.sampled_from(["RSET", "MAIL", "RCPT", "DATA", "."]),
        wrong=st.sampled_from(WRONGS),
    )
    def plan_mischief(self, pick: int, verb: str, wrong: dict[str, Any]) -> None:
        if links := self.links():
            links[-1 - pick % len(links)].order(verb, times=1, **wrong)

    @rule(pick=st.integers(0, 99), how=st.sampled_from(["421", "421 and end", "end", "babble"]))
    def disturb_the_rest(self, pick: int, how: str) -> None:
        lent = [link for _, _, link in self.lent]
        links = [link for link in self.links() if link not in lent]
        if not links:
            return
        link = links[-1 - pick % len(links)]
        if "421" in how:
            link.say(b"421 4.4.2 idle for too long\r\n")
        if how == "babble":
            link.say(b"250 nobody asked\r\n")
        if "end" in how:
            link.end()

    @rule(seconds=st.sampled_from([1.0, 60.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def limits_are_kept(self) -> None:
        if hasattr(self, "stack"):
            usage = self.pool.usage
            assert usage.lent == len(self.lent)
            assert usage.lent + usage.idle <= 3
            assert usage.waiting == 0
            for server in self.servers:
                assert sum(each is server for _, each, _ in self.lent) <= 2


def _address(client: Any) -> object:
    """The address that the server sees."""
    if hasattr(client, "_channel"):
        return client._channel.socket.getsockname()
    return client._stream.local_address()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_any_order(adapter: str) -> None:
    machine = type("Pools", (Pools,), {"adapter": adapter})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=25))
