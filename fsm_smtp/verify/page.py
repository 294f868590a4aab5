"""The page ``docs/verified.md``: what is proven of the shipped tables, on what assumptions.

Written anew by ``python -m fsm_smtp.verify.page > docs/verified.md``.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence

from fsm_smtp.register import Requirement, load_register
from fsm_smtp.specs import spec_path
from fsm_smtp.table import Table, load_table
from fsm_smtp.table.properties import Property
from fsm_smtp.verify.checks import verify

_HEAD = """\
# What is verified

This page is generated from `specs/transitions.yaml`, its overlays and `specs/register/`:
`python -m fsm_smtp.verify.page > docs/verified.md`. `fsm-smtp verify` proves it anew.

## How

The verifier visits every configuration (a state and the values of the variables) that any run can
reach, with every history that leads there. At each wait the server may do anything: reply with any
class and each code that has a meaning of its own, send what is no reply, close, or say nothing.

A property speaks of the *history of events* (commands, replies, the link), of the state that a user
sees and of whose violation a reply is, never of the table's variables: a row that sets a variable
wrongly would satisfy its own lie. What each flag of the history means is written in `history` of
the table. A property that would also hold with its consequent replaced by false is vacuous and
counts as failed. One that fails is shown with a shortest run that breaks it.
"""

_ASSUMPTIONS = """\
## On what assumptions

- The client sends nothing that the table refuses, and waits for each reply: lock-step. Running
  ahead (PIPELINING) is verified together with a server: docs/composition.md.
- The machine does what the table says. That the loaded machine and the table agree on every pair of
  configuration and trigger, in both directions, is a test of its own.
- Octets become triggers rightly: a reply is one trigger by its code, a command line is one by its
  verb. That is the wire's and the vocabulary's, and tested there.
- Response properties assume that each wait ends, by a reply, the end of the connection or a
  time-out; that the server challenges finitely often, and that the content is finite.
- The properties say what they say. That they miss no change of the table is what `fsm-smtp mutate`
  examines.
"""

_FORM = """\
## Of the table's form

Every state can be reached; no configuration has two rows for one trigger; every row fires. Besides:
"""


def page(tables: Sequence[Table], register: Sequence[Requirement]) -> str:
    """The page for the base table and the tables with one overlay each, base first."""
    return "\n".join((*_lines(tables, register),)) + "\n"


def _lines(tables: Sequence[Table], register: Sequence[Requirement]) -> Iterator[str]:
    base, *policies = tables
    yield _HEAD
    yield from _counts(tables)
    yield _ASSUMPTIONS
    yield "## Properties of every run\n"
    yield from _properties(base.properties)
    yield ""
    for policy in policies:
        yield from _policy(base, policy)
    yield _FORM
    claims = [(entry.says, entry.rfc) for entry in base.always]
    claims += [(goal.says, goal.rfc) for goal in base.goals]
    for says, rfc in claims:
        yield f"- {_sentence(says)} ({rfc})"
    yield "\n## What is not proven by these properties\n"
    yield "No property over the table can express these requirements, or not the whole of them:\n"
    yield "| id | RFC | requirement | where |"
    yield "|---|---|---|---|"
    for one in register:
        if one.elsewhere is not None:
            part = "in part; " if one.properties else ""
            yield f"| {one.id} | {one.rfc} | {one.says} | {part}{one.elsewhere} |"
    yield "\nWhat a server owes does not follow from what a client may do: it is judged by `check`."
    yield "Counting (recipients, messages, lengths, time) is the session's and the adapters'."


def _counts(tables: Iterable[Table]) -> Iterator[str]:
    yield "| table | configurations | edges | with histories | properties |"
    yield "|---|--:|--:|--:|--:|"
    for table in tables:
        found = verify(table)
        name = "+".join(table.overlays) or "base"
        numbers = (found.configurations, found.edges, found.histories, len(table.properties))
        yield f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |"
    yield ""


def _properties(properties: Iterable[Property]) -> Iterator[str]:
    yield "| id | pattern | claim | RFC | requirements |"
    yield "|---|---|---|---|---|"
    for one in properties:
        needs = ", ".join(one.requirements)
        yield f"| {one.id} | {one.pattern} | {_sentence(one.says)} | {one.rfc} | {needs} |"


def _policy(base: Table, policy: Table) -> Iterator[str]:
    known = {one.id: one for one in base.properties}
    kept = {one.id: one for one in policy.properties}
    yield f"### Under the policy {'+'.join(policy.overlays)}\n"
    yield from _properties(one for one in policy.properties if one.id not in known)
    for name, one in kept.items():
        if name in known and one.when != known[name].when:
            before = known[name].when
            held = [flag for flag in one.when.held if flag not in before.held]
            absent = [f"not {flag}" for flag in one.when.absent if flag not in before.absent]
            yield f"\n`{name}` is claimed only while {', '.join((*held, *absent))}."
    for name, one in known.items():
        if name not in kept:
            yield f"\n`{name}` is not claimed: {one.says}."
    yield ""


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def shipped_page() -> str:
    """The page for what is shipped."""
    overlays = sorted(file.stem for file in spec_path("overlays").glob("*.yaml"))
    tables = [load_table(), *(load_table(overlays=[name]) for name in overlays)]
    return page(tables, load_register())


if __name__ == "__main__":
    sys.stdout.write(shipped_page())
