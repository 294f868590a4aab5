"""The section ``server`` of a table as a machine with choices left open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fsm_smtp.owed.instance import Instance
from fsm_smtp.table import Table
from fsm_smtp.table.server_consistency import described
from fsm_smtp.table.server_model import UNSENT, Answer, Entry, Input, Server, Standing

#: A point's id → the name of the answer that was chosen.
Choices = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A choice that the RFCs leave to the server.

    Attributes:
        id: the entry, the input where the entry has several, and the values of its ``per``.
        access: inputs that lead there from the greeting, when the answers of `given` are chosen.
        input: the input that is answered in several ways.
        alternatives: the answers; each `Answer` has a name, codes and what follows.
        given: the other points on the way, and the answers that lead on.
    """

    id: str
    entry: Entry
    access: tuple[str, ...]
    input: str
    given: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def alternatives(self) -> tuple[Answer, ...]:
        """The answers among which a server chooses; the first is the exacting one."""
        return self.entry.answers


@dataclass(frozen=True)
class ServerModel:
    """What a server owes, with its choices left open."""

    server: Server

    @classmethod
    def of(cls, table: Table) -> "ServerModel":
        """The model of a table.

        Raises:
            ValueError: the table does not say what a server owes.
        """
        if table.server is None:
            raise ValueError(f"the table {table.name} does not say what a server owes")
        return cls(table.server)

    def inputs(self, extensions: frozenset[str]) -> tuple[Input, ...]:
        """The inputs that need no extension, or one of *extensions* (EHLO keywords)."""
        return tuple(
            one
            for one in self.server.inputs.values()
            if one.extension is None or one.extension in extensions
        )

    def owed(self, standing: Standing, input_name: str) -> Entry | None:
        """What is owed to an input; ``None`` where it is not sent."""
        return next(self.server.owed(standing, input_name), None)

    def point_id(self, standing: Standing, input_name: str, entry: Entry) -> str | None:
        """The id of the choice that is made here; ``None`` when *entry* leaves none."""
        if len(entry.answers) == 1:
            return None
        name = entry.id if len(entry.inputs) == 1 else f"{entry.id}/{input_name}"
        values = dict(zip(self.server.view, standing[1], strict=True))
        per = ",".join(f"{variable}={values[variable]}" for variable in entry.per)
        return f"{name}[{per}]" if per else name

    def points(self, extensions: frozenset[str]) -> tuple[Point, ...]:
        """Every choice that any server can come to, nearest to the greeting first."""
        found: dict[str, Point] = {}
        ways: dict[Standing, tuple[tuple[str, ...], Mapping[str, str]]]
        ways = {self.server.initial: ((), {})}
        todo = [self.server.initial]
        for standing in todo:  # grows while it is walked
            access, given = ways[standing]
            for one in self.inputs(extensions):
                entry = self.owed(standing, one.name)
                if entry is None:
                    continue
                point = self.point_id(standing, one.name, entry)
                if point is not None and point not in found:
                    found[point] = Point(point, entry, access, one.name, given)
                for answer in entry.answers:
                    if point is not None and given.get(point, answer.name) != answer.name:
                        continue  # on the way here the server has chosen otherwise
                    behind = self.server.after(standing, answer)
                    if behind not in ways:
                        chosen = {point: answer.name} if point is not None else {}
                        ways[behind] = (*access, one.name), {**given, **chosen}
                        todo.append(behind)
        return tuple(found.values())

    def instantiate(self, choices: Choices, extensions: frozenset[str]) -> Instance:
        """The machine of a server with these choices.

        Args:
            choices: point id → answer name; a point that is missing has its first answer.
            extensions: the EHLO keywords that the server offers.

        Raises:
            ValueError: a point has no answer of the name that was chosen.
        """
        names = tuple(one.name for one in self.inputs(extensions))
        number = {self.server.initial: 0}
        outputs: dict[tuple[int, str], str] = {}
        following: dict[tuple[int, str], int] = {}
        owed: dict[tuple[int, str], Entry | None] = {}
        todo = [self.server.initial]
        for standing in todo:  # grows while it is walked
            here = number[standing]
            for name in names:
                entry = owed[here, name] = self.owed(standing, name)
                if entry is None:
                    outputs[here, name], following[here, name] = UNSENT, here
                    continue
                answer = self._chosen(standing, name, entry, choices)
                behind = self.server.after(standing, answer)
                if behind not in number:
                    number[behind] = len(number)
                    todo.append(behind)
                outputs[here, name], following[here, name] = answer.word, number[behind]
        return Instance(
            initial=0,
            inputs=names,
            outputs=outputs,
            next=following,
            owed=owed,
            names=tuple(described(self.server, standing) for standing in number),
            standings=tuple(number),
        )

    def possible(self, standing: Standing, input_name: str, choices: Choices) -> Iterator[Answer]:
        """The answers that *choices* leave open: one where the choice is made."""
        entry = self.owed(standing, input_name)
        if entry is None:
            return
        point = self.point_id(standing, input_name, entry)
        if point is None or point in choices:
            yield self._chosen(standing, input_name, entry, choices)
        else:
            yield from entry.answers

    def _chosen(self, standing: Standing, name: str, entry: Entry, choices: Choices) -> Answer:
        point = self.point_id(standing, name, entry)
        if point is None or point not in choices:
            return entry.answers[0]
        for answer in entry.answers:
            if answer.name == choices[point]:
                return answer
        known = ", ".join(answer.name for answer in entry.answers)
        raise ValueError(f"the point {point} has no answer {choices[point]!r} (it has {known})")
