"""``fsm-smtp explain``: what a state or a trigger means, what may follow, and why not."""

from pathlib import Path

import click

from fsm_smtp.cli.answer import Answer
from fsm_smtp.cli.answers import about_pair, about_state, about_triggers
from fsm_smtp.cli.names import UnknownName, find_state, find_triggers, unknown
from fsm_smtp.cli.terminal import chosen_table, console, json_option, table_options, write_json
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.table import Table


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="STATE | TRIGGER | STATE TRIGGER")
@table_options
@json_option
def explain(
    names: tuple[str, ...],
    table_file: Path | None,
    overlays: tuple[str, ...],
    json_file: str | None,
) -> None:
    """Say what a state or a trigger means and what may follow; with both, where
    the trigger leads from there, or why it is refused and what is legal instead.

    A state is named with or without SMTP_, a trigger by its name in the table, its
    verb or a reply code; in any case. MAIL alone is the state, send_mail the command.

    \b
    Examples:
      fsm-smtp explain MAIL
      fsm-smtp explain STARTTLS
      fsm-smtp explain BANNER MAIL
      fsm-smtp explain "DATA 354"
      fsm-smtp explain CONNECTED MAIL --overlay require_tls
    """
    table = chosen_table(table_file, overlays)
    try:
        answer = _answer(table, " ".join(names).split())
    except UnknownName as error:
        raise click.UsageError(str(error)) from error
    if json_file is not None:
        write_json(answer.as_dict(), json_file)
    if json_file != "-":
        answer.show(console())


def _answer(table: Table, words: list[str]) -> Answer:
    if len(words) == 1:
        state = find_state(table, words[0])
        if state is not None:
            return about_state(Ways(table), state)
        triggers = find_triggers(table, words[0])
        if not triggers:
            raise unknown(table, words[0], states=True, triggers=True)
        return about_triggers(Ways(table), triggers)
    if len(words) != 2:
        raise UnknownName("name a state, a trigger, or a state and a trigger")
    state = find_state(table, words[0])
    if state is None:
        raise unknown(table, words[0], states=True, triggers=False)
    triggers = find_triggers(table, words[1])
    if not triggers:
        raise unknown(table, words[1], states=False, triggers=True)
    return about_pair(Ways(table), state, triggers)
