"""Client and server cannot contradict each other: ``transitions`` against ``server``.

The two are walked together. A pair is a configuration of the client at rest and a standing of the
server; the first is behind the greeting. At each pair, for every input that the client has a
trigger for:

* **The client may send it** (a row fires). Then for each answer that is allowed and each of its
  codes: the client's rows accept the reply without calling it a violation; an exact code is among
  the ``replies`` that the table lists for the command, unless the answer goes ``against`` a
  SHOULD; and behind it the client rests in a state of
  the mode that follows, with the same values of the view's variables: that is the next pair. An
  answer marked ``differs`` must lead to another view than the client's, and is not followed.
* **It may not.** Then not all answers are positive (2yz, 3yz): what no client may do is not the
  only thing that a server may grant.
* **What the client may hope for can be granted**: where its rows accept a positive reply to a
  trigger, some input that sends the trigger has an answer of that kind.

An overlay binds the client alone, so the relation is asked of a table without overlays.
"""

from collections.abc import Iterator, Mapping

from fsm_smtp.table.model import Move, Table
from fsm_smtp.table.server_consistency import Owed, described, mistake
from fsm_smtp.table.server_model import NONE, Answer, Entry, Input, Server, Standing, word_of

#: A state of the client and its variables.
_Client = tuple[str, tuple[str, ...]]


def check_agreement(table: Table, server: Server, owed: Owed) -> None:
    """Walk client and server together.

    Args:
        table: the table without overlays.
        server: its section.
        owed: what `check_server` has found.

    Raises:
        SpecError: they contradict each other; the place is the entry's.
    """
    _Walk(table, server, owed).run()


class _Walk:
    def __init__(self, table: Table, server: Server, owed: Owed) -> None:
        self.table = table
        self.server = server
        self.owed = owed
        self._number = {name: n for n, name in enumerate(table.variables)}
        self._seen = tuple(self._number[name] for name in server.view)
        self._moves: dict[tuple[str, str], list[_Move]] = {}
        self._by_code = {c: t.name for t in table.triggers.values() for c in t.codes}
        self._by_digit = {t.digit: t.name for t in table.triggers.values() if t.digit is not None}
        self._listed = {
            name: {str(code) for codes in listed for code in codes.codes}
            for name, listed in table.replies.items()
        }

    def run(self) -> None:
        client: _Client = (self.table.start_state, self.table.start_memory)
        for trigger in self.server.begins:
            moved = self._fire(client, trigger)
            if moved is None:
                what = f"no session begins with {', '.join(self.server.begins)}"
                raise mistake(next(iter(self.server.modes.values())).place, what)
            client = moved.after(client)
        known = {(client, self.server.initial)}
        todo = list(known)
        for pair in todo:  # grows while it is walked
            for following in self._pair(*pair):
                if following not in known:
                    known.add(following)
                    todo.append(following)

    def _pair(self, client: _Client, standing: Standing) -> Iterator[tuple[_Client, Standing]]:
        granted: dict[str, set[str]] = {}
        entries: dict[str, Entry] = {}
        for name, entry in self.owed[standing].items():
            one = self.server.inputs[name]
            if one.sends is None:
                continue
            sent = self._fire(client, one.sends)
            if sent is None:
                if all(_positive(answer.word) for answer in entry.answers):
                    what = f"entry {entry.id} grants {name}, which no client may send here"
                    raise mistake(entry.place, f"{what}, and allows nothing else")
                continue
            entries.setdefault(one.sends, entry)
            words = granted.setdefault(one.sends, set())
            for answer in entry.answers:
                words.add(answer.word[0])
                behind = self.server.after(standing, answer)
                for heard in self._replies(one, answer, entry, sent.after(client)):
                    if self._agree(heard, behind, answer, entry):
                        yield heard, behind
        for trigger, words in granted.items():
            for digit in self._hopes(client, trigger):
                if digit not in words:
                    what = (
                        f"entry {entries[trigger].id}: the client may be answered {digit}yz"
                        f" to {trigger}, and no input grants that"
                    )
                    raise mistake(entries[trigger].place, what)

    def _replies(
        self, one: Input, answer: Answer, entry: Entry, waiting: _Client
    ) -> Iterator[_Client]:
        """The client behind each reply that the answer stands for."""
        if answer.codes == (NONE,):
            yield waiting
            return
        listed = self._listed[self.table.triggers[one.sends or ""].replies or "any"]
        for code in answer.codes:
            known = not code.isdecimal() or code in listed or code in self._listed["any"]
            if not known and not answer.against:
                what = f"entry {entry.id}: the table lists no reply {code} to {one.sends}"
                raise mistake(answer.place, what)
            heard = waiting
            for trigger in (self._trigger(code), *one.after.get(word_of(code), ())):
                moved = self._fire(heard, trigger)
                if moved is None or moved.violation:
                    what = f"entry {entry.id}: the client does not accept {code} to {one.name}"
                    raise mistake(answer.place, what)
                heard = moved.after(heard)
            yield heard

    def _agree(self, client: _Client, behind: Standing, answer: Answer, entry: Entry) -> bool:
        """Whether both see the same; and the answer must say so when they do not."""
        mode, view = behind
        state, memory = client
        same = view == tuple(memory[number] for number in self._seen)
        same = same and state in self.server.modes[mode].states
        if same == (answer.differs is None):
            return same
        if same:
            what = f"entry {entry.id}: the client sees the same behind {answer.name}"
            raise mistake(answer.place, f"{what}; leave out 'differs'")
        held = described(self.server, (mode, tuple(memory[number] for number in self._seen)))
        what = f"entry {entry.id}: {answer.name} leads to {described(self.server, behind)}"
        raise mistake(answer.place, f"{what}, but the client's {state} holds {held}")

    def _hopes(self, client: _Client, trigger: str) -> Iterator[str]:
        """The first digits of the positive replies that the client accepts to *trigger*."""
        sent = self._fire(client, trigger)
        if sent is not None and self.table.triggers[trigger].replies is not None:
            for digit in (2, 3):
                replies = (
                    t for t in self.table.triggers.values() if _begins(t.codes, t.digit, digit)
                )
                for reply in replies:
                    moved = self._fire(sent.after(client), reply.name)
                    if moved is not None and not moved.violation:
                        yield str(digit)
                        break

    # -- the client's rows ------------------------------------------------------------------------

    def _trigger(self, code: str) -> str:
        """The trigger of a reply: by its code when it has one of its own, else by its digit."""
        if code.isdecimal() and int(code) in self._by_code:
            return self._by_code[int(code)]
        return self._by_digit[int(code[0])]

    def _fire(self, client: _Client, trigger: str) -> "_Move | None":
        state, memory = client
        key = (state, trigger)
        if key not in self._moves:
            moves = self.table.moves_by_source[state].get(trigger, ())
            self._moves[key] = [_Move(move, self._number) for move in moves]
        for move in self._moves[key]:
            if all(memory[number] in values for number, values in move.tests):
                return move
        return None


class _Move:
    """A row of the client, ready to be asked."""

    __slots__ = ("changes", "dest", "tests", "violation")

    def __init__(self, move: Move, number: Mapping[str, int]) -> None:
        self.tests = tuple((number[name], values) for name, values in move.when)
        self.changes = tuple((number[name], value) for name, value in move.effect)
        self.dest = move.dest
        self.violation = move.row.violation is not None

    def after(self, client: _Client) -> _Client:
        memory = list(client[1])
        for number, value in self.changes:
            memory[number] = value
        return self.dest, tuple(memory)


def _positive(word: str) -> bool:
    return word[0] in "23"


def _begins(codes: tuple[int, ...], digit: int | None, wanted: int) -> bool:
    return digit == wanted or any(code // 100 == wanted for code in codes)
