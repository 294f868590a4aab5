"""Names for another language: legal there, distinct, and as close to the table's as can be."""

import re
from collections.abc import Collection


class Names:
    """Hands out identifiers in one namespace.

    A table's names may be any text, and two kinds of thing may share one; an identifier may not.
    What is no letter, digit or underscore becomes an underscore, and what is reserved or already
    given away gets one at its end, as often as it takes. The same calls give the same names.

    Args:
        reserved: words that the language keeps for itself.
    """

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._taken = set(reserved)
        self._given: dict[tuple[str, str], str] = {}

    def give(self, kind: str, name: str, wanted: str | None = None) -> str:
        """A new identifier for this *name* of this *kind*.

        Args:
            kind: what is named, such as ``state``; names of different kinds may be equal.
            name: the name in the table.
            wanted: what the identifier should look like; *name* when ``None``.

        Raises:
            ValueError: this name of this kind has one already.
        """
        if (kind, name) in self._given:
            raise ValueError(f"the {kind} {name!r} has an identifier already")
        identifier = re.sub(r"[^A-Za-z0-9_]", "_", name if wanted is None else wanted)
        if not identifier or identifier[0].isdigit():
            identifier = f"n{identifier}"
        while identifier in self._taken:
            identifier += "_"
        self._taken.add(identifier)
        self._given[kind, name] = identifier
        return identifier

    def of(self, kind: str, name: str) -> str:
        """The identifier that was given.

        Raises:
            KeyError: none was.
        """
        return self._given[kind, name]
