"""One connection to a server under test: inputs go out, every answer is judged by the table."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from fsm_smtp.check.cases.template import render
from fsm_smtp.check.engine.session import Settings
from fsm_smtp.errors import MalformedReply
from fsm_smtp.owed import CLOSED, NONE, Belief, Input, Judgement, ServerModel
from fsm_smtp.table.server_model import word_of
from fsm_smtp.testing.machines.connection import Connection, Replies
from fsm_smtp.testing.machines.coverage import Coverage
from fsm_smtp.testing.machines.failure import ServerViolation
from fsm_smtp.testing.machines.step import Step
from fsm_smtp.wire import Reply, printable

#: What is said when a reply does not come.
SILENCE = "silence"
#: Judgements that are failures; the second set when the examiner is strict.
_FAILS = frozenset({Judgement.VIOLATION})
_FAILS_STRICTLY = _FAILS | {Judgement.UNLISTED, Judgement.DISCOURAGED}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server is examined.

    Attributes:
        model: what servers owe.
        settings: addresses that the server takes and does not, credentials, the name in EHLO.
        strict: codes that are not listed, and what goes against a SHOULD, are failures too.
    """

    model: ServerModel
    settings: Settings = field(default_factory=Settings)
    strict: bool = False

    def octets_of(self, name: str) -> bytes:
        """What an input sends."""
        return self.octets(self.model.server.inputs[name])

    def octets(self, symbol: Input) -> bytes:
        """What *symbol* sends."""
        octets = symbol.octets.encode("latin-1")
        values = {**self.settings.values(), "octets": str(len(octets))}
        lines = (render(line, values).encode("latin-1") + b"\r\n" for line in symbol.lines)
        return b"".join(lines) + octets


class Examiner:
    """A session with the server.

    Args:
        plan: how.
        connection: a new connection.
        coverage: what was seen so far.

    Raises:
        ServerViolation: the greeting is none.

    Attributes:
        belief: where the server may stand.
        new: how many transitions were taken for the first time.
        secured: TLS has come up.
        pipelining: the last EHLO offers PIPELINING.
        abandoned: what the server has done is known, and nobody knows where it stands now.
    """

    def __init__(self, plan: Plan, connection: Connection, coverage: Coverage) -> None:
        self._plan = plan
        self._inputs = {one.name: one for one in plan.model.server.inputs.values()}
        self._connection = connection
        self._replies = Replies(connection)
        self.belief = Belief(plan.model)
        self.coverage = coverage
        self._transcript: list[str] = []
        self._word: tuple[str, ...] = ()
        self.new = 0
        self.secured = False
        self.pipelining = False
        self.abandoned = False
        greeting = self._reply()
        if greeting is None or greeting.code != 220:
            self._fail("the greeting is 220, or the server takes no mail", "5321 §3.1", "MUST")

    @property
    def is_over(self) -> bool:
        """Whether the connection is closed, or the session is abandoned."""
        return self.abandoned or self.belief.mode == CLOSED

    def play(self, step: Step) -> None:
        """Send what the step says, if it can be sent where the server stands.

        Raises:
            ServerViolation: the answer is not owed.
        """
        if self.is_over or not all(self.belief.sends(name) for name in step.names):
            return
        if "content" in step.names and step.pieces and self.belief.mode != "content":
            return  # lines of content are no single command elsewhere
        if len(step.names) > 1:
            self.say_ahead(step.names)
        else:
            self.say(step.names[0], step.pieces)

    def say(self, name: str, pieces: Iterable[bytes] | None = None) -> None:
        """Send an input and judge what comes.

        Args:
            name: the input, of the table's section ``server``.
            pieces: its octets in another spelling that means the same, each piece written apart.

        Raises:
            ServerViolation: the answer is not owed.
        """
        self._send(name, pieces)
        self._hear(name)
        if self._replies.waiting and not self.is_over:
            self._reply()
            self._fail("one reply to each command", "5321 §4.2", "MUST", "there was one too many")

    def say_ahead(self, names: Iterable[str]) -> None:
        """Send inputs in one write, and judge the answers in their order (RFC 2920 §3.2).

        Raises:
            ServerViolation: an answer is not owed.
        """
        chosen = tuple(names)
        octets = b"".join(self._plan.octets(self._inputs[name]) for name in chosen)
        self._note("C", octets, self._secret(chosen))
        self._write(octets)
        for name in chosen:
            if not self.is_over:
                self._hear(name)

    def finish(self) -> None:
        """Bring the session to its end, so that no reply stays unread.

        Raises:
            ServerViolation: more replies come than commands went, or QUIT is not answered.
        """
        if self.belief.mode == "content":
            self.say("end_of_data")
        if self.belief.mode == "sasl":
            self.say("cancel")
        if not self.is_over:
            self.say("quit")

    # Inside

    def _send(self, name: str, pieces: Iterable[bytes] | None) -> None:
        octets = tuple(pieces) if pieces is not None else (self._plan.octets(self._inputs[name]),)
        self._note("C", b"".join(octets), self._secret((name,)))
        for piece in octets:
            self._write(piece)

    def _write(self, octets: bytes) -> None:
        try:
            self._connection.send(octets)
        except OSError:
            return  # what the server has done shows when we read

    def _hear(self, name: str) -> None:
        standing = self.belief.standing
        outcome, reply = self._outcome(name)
        heard = self.belief.heed(name, outcome)
        if heard.judgement in (_FAILS_STRICTLY if self._plan.strict else _FAILS):
            if standing is not None:
                self.coverage.take(standing, name, outcome)
            entry = heard.entry
            allowed = ", ".join(code for answer in entry.answers for code in answer.codes)
            said = f"the answer was {outcome}, and may be {allowed}"
            self._fail(entry.says, entry.rfc, entry.level, said, (name, outcome))
        symbol = self._inputs[name]
        if symbol.through is not None and word_of(outcome) in symbol.after:
            self._secure()
        if name == "ehlo" and reply is not None and reply.code == 250:
            self._offered(reply)
        self._word = (*self._word, name)
        if standing is not None:
            self.new += self.coverage.take(standing, name, outcome)
        if self.belief.standing is not None:
            self.coverage.reach(self.belief.standing, self._word)
        if self.is_over:
            self._closed()

    def _outcome(self, name: str) -> tuple[str, Reply | None]:
        if self.belief.mode == "content" and name != "end_of_data":
            return NONE, None
        try:
            reply = self._reply()
        except TimeoutError:
            self._transcript.append("S: (nothing)")
            return SILENCE, None
        if reply is None:
            return CLOSED, None
        return str(reply.code), reply

    def _reply(self) -> Reply | None:
        try:
            reply = self._replies.next()
        except MalformedReply as error:
            self._transcript.append(f"S: {printable(error.received)}")
            self._fail(f"a reply is well formed: {error.what}", error.rfc, "MUST")
        self._transcript += [f"S: {line}" for line in str(reply or "(closed)").split("\n")]
        return reply

    def _secure(self) -> None:
        try:
            self._replies.start_tls()
        except OSError as error:
            self._transcript.append(f"-: the TLS handshake failed: {error}")
            self._fail("behind 220 to STARTTLS comes the handshake", "3207 §4", "MUST")
        self._transcript.append("-: TLS is up")
        self.secured, self.pipelining = True, False

    def _offered(self, reply: Reply) -> None:
        known = {one.extension for one in self._inputs.values() if one.extension is not None}
        offered = {line.split(b" ")[0].decode("latin-1").upper() for line in reply.lines[1:]}
        if self._plan.settings.user is None:
            known.discard("AUTH")
        self.coverage.extensions |= known & offered
        self.pipelining = "PIPELINING" in offered

    def _closed(self) -> None:
        """Behind 221 and 421 the server closes, and says nothing more (RFC 5321 §4.1.1.10)."""
        try:
            more = self._reply()
        except TimeoutError:
            self._fail("the server closes the connection", "5321 §4.1.1.10", "MUST")
        if more is not None:
            self._fail("one reply to each command", "5321 §4.2", "MUST", "there was one too many")

    def _secret(self, names: Iterable[str]) -> bool:
        return any("plain}" in line for name in names for line in self._inputs[name].lines)

    def _note(self, who: str, octets: bytes, secret: bool) -> None:
        lines = octets.removesuffix(b"\r\n").split(b"\r\n")
        for line in lines:
            shown = "[redacted]" if secret else printable(line)
            self._transcript.append(f"{who}: {shown}")

    def _fail(
        self, says: str, rfc: str, level: str, said: str = "", wrong: tuple[str, str] = ("", "")
    ) -> NoReturn:
        name, outcome = wrong
        raise ServerViolation(
            says=says,
            rfc=rfc,
            level=level,
            said=said,
            got=outcome,
            steps=(*self._word, name) if name else self._word,
            transcript=tuple(self._transcript),
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
