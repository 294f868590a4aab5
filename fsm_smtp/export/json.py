"""The table as JSON, complete: what was written, and what it says once names are resolved.

The document is one object:

* ``format`` (``fsm-smtp table``) and ``schema`` (1);
* ``name``, and ``overlays``: the names of what was laid over the table, in this order;
* ``rfcs``: number → title; ``states``: name → value and meaning, the start state first;
  ``variables``: name → value → meaning, each one's start value first; ``triggers``: name → by
  whom, meaning, section, and how it is recognised (``null`` or empty where that says nothing);
* ``rows``: each row as written, its group's source and guard included. A guard (``when``) is an
  object from a variable to the values that it may have; ``forgets`` names the variables that take
  their start values before ``sets`` applies; ``dest`` may be ``same`` or ``$variable``, a value of
  ``sets`` may be ``$source``. ``restrictions`` says which parts of ``when`` overlays have added;
* ``moves``: each row (``row`` is its id) for each of its triggers and sources, with nothing left
  to resolve: ``when``, ``dest``, and ``effect`` from a variable to its new value;
* ``replies``: for each command, which codes of which class which section lists;
* whatever else the table claims of itself (``goals``, ``always``, …), with the attributes of the
  classes in `fsm_smtp.table`.

Where a row stands in a file is left out: the document is the same wherever the table lies.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, cast

from fsm_smtp.table import Move, Table
from fsm_smtp.table.guard import Guard

FORMAT = "fsm-smtp table"
SCHEMA = 1

#: Attributes that are pairs of a name and something: objects in JSON.
_PAIRS = frozenset({"when", "start", "sets", "effect", "then"})
#: Attributes that tell where something was written, or how it is read.
_PLACES = frozenset({"place", "path", "read_server"})


def to_json(table: Table) -> str:
    """The whole table as one JSON document, indented."""
    document: dict[str, Any] = {"format": FORMAT, "schema": SCHEMA}
    for name, value in _attributes(table).items():
        document[name] = value
        if name == "rows":
            document["moves"] = [_move(move) for move in table.moves]
    document["server"] = _plain(table.server)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _move(move: Move) -> dict[str, Any]:
    return {**_attributes(move), "row": move.row.id}


def _attributes(thing: Any) -> dict[str, Any]:
    """The attributes of a frozen dataclass, in the order declared."""
    return {
        field.name: _paired(value) if field.name in _PAIRS else _plain(value)
        for field in fields(thing)
        if field.name not in _PLACES
        for value in [getattr(thing, field.name)]
    }


def _paired(value: Any) -> Any:
    if not isinstance(value, tuple):
        return _plain(value)
    return {name: _plain(held) for name, held in cast("Guard", value)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _attributes(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, tuple):
        several = cast("Sequence[Any]", value)
        return [_plain(item) for item in several]
    return value
