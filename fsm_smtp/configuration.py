"""A configuration: a state and the values of the variables. Immutable, and interned per table."""

from collections.abc import Iterable, Mapping

from fsm_smtp.command import SMTPCommand
from fsm_smtp.table import Table


class Configuration:
    """One configuration of a table. Two equal ones of one `ConfigurationSpace` are the same object.

    Read a variable as ``configuration["transaction"]``.
    """

    __slots__ = ("_index", "memory", "state")

    def __init__(self, state: str, memory: tuple[str, ...], index: Mapping[str, int]) -> None:
        #: Name of the state, as in the table.
        self.state = state
        #: The values of the variables, in the table's order.
        self.memory = memory
        self._index = index

    @property
    def command(self) -> SMTPCommand:
        """The state as a member of `SMTPCommand`.

        Raises:
            KeyError: a table of the user's own has a state of another name.
        """
        return SMTPCommand.from_spec_name(self.state)

    def __getitem__(self, variable: str) -> str:
        return self.memory[self._index[variable]]

    def as_dict(self) -> dict[str, str]:
        """The variables and their values."""
        return dict(zip(self._index, self.memory, strict=True))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.as_dict().items())
        return f"<{self.state} {values}>"


class ConfigurationSpace:
    """The configurations of one table; makes each one once."""

    def __init__(self, table: Table) -> None:
        self._index = {name: number for number, name in enumerate(table.variables)}
        self._known: dict[tuple[str, tuple[str, ...]], Configuration] = {}
        #: The configuration in which every session begins.
        self.start = self.intern(table.start_state, table.start_memory)

    def intern(self, state: str, memory: tuple[str, ...]) -> Configuration:
        """The configuration with this state and these values."""
        key = (state, memory)
        found = self._known.get(key)
        if found is None:
            found = self._known.setdefault(key, Configuration(state, memory, self._index))
        return found

    def changed(
        self, configuration: Configuration, effect: Iterable[tuple[int, str]]
    ) -> Configuration:
        """The configuration that has the same state, and other values at these places."""
        memory = list(configuration.memory)
        for place, value in effect:
            memory[place] = value
        return self.intern(configuration.state, tuple(memory))

    def place(self, variable: str) -> int:
        """Where the value of *variable* stands in `Configuration.memory`."""
        return self._index[variable]
