"""The shipped table against facts typed here from the RFCs, and against itself."""

from collections.abc import Iterator
from itertools import permutations

import pytest

from fsm_smtp.command import SMTPCommand
from fsm_smtp.table import Table, load_table
from fsm_smtp.verify import verify
from fsm_smtp.verify.explore import explore
from tests.core.test_three_way import COMBINATIONS, SHIPPED

TABLE = load_table()

#: RFC 5321 §4.3.2, then the extensions: intermediate, success, error. What may answer any command
#: stands under `any` alone: 500, 501, 421, and 530, 538, 554 where TLS or AUTH is demanded.
REPLIES: dict[str, tuple[set[int], set[int], set[int]]] = {
    "any": (set(), set(), {421, 500, 501, 530, 538, 554}),
    "greeting": (set(), {220}, {421, 521, 554}),
    "EHLO": (set(), {250}, {502, 504, 550}),
    "HELO": (set(), {250}, {502, 504, 550}),
    "MAIL": (set(), {250}, {451, 452, 455, 501, 503, 530, 550, 552, 553, 555}),
    "RCPT": (set(), {250, 251}, {450, 451, 452, 455, 503, 550, 551, 552, 553, 555, 556}),
    "DATA": ({354}, set(), {503, 554}),
    "content": (set(), {250}, {450, 451, 452, 550, 552, 554}),
    "BDAT": (set(), {250}, {450, 451, 452, 503, 550, 552, 554}),
    "RSET": (set(), {250}, set()),
    "NOOP": (set(), {250}, set()),
    "VRFY": (set(), {250, 251, 252}, {502, 504, 550, 551, 553}),
    "EXPN": (set(), {250, 252}, {502, 504, 550}),
    "HELP": (set(), {211, 214}, {502, 504}),
    "QUIT": (set(), {221}, set()),
    "STARTTLS": (set(), {220}, {454}),
    "AUTH": ({334}, {235}, {432, 454, 503, 504, 534, 535}),
}

#: RFC 5321 §4.5.3.2: seconds that a client waits at least. Others wait as long as for MAIL.
MINIMA = {
    "connect": 300,
    "connect_tls": 300,
    "send_mail": 300,
    "send_mail_binary": 300,
    "send_rcpt": 300,
    "send_data": 120,
    "send_content": 180,
    "send_dot": 600,
    "send_bdat": 180,
    "send_bdat_last": 600,
}

#: RFC 2920 §3.1 and RFC 3030 §2: all other commands may only end a group.
ANYWHERE = {
    "send_mail",
    "send_mail_binary",
    "send_rcpt",
    "send_rset",
    "send_bdat",
    "send_bdat_last",
}


def codes(table: Table, key: str, reply_class: str) -> set[int]:
    """The codes that the table lists."""
    listed = [one for one in table.replies[key] if one.reply_class == reply_class]
    return {code for one in listed for code in one.codes}


def test_the_states_are_the_documented_enumeration() -> None:
    assert {name: state.value for name, state in TABLE.states.items()} == {
        command.spec_name: command.value for command in SMTPCommand
    }
    assert len(TABLE.states) == 15
    assert TABLE.start_state == SMTPCommand.NONE.spec_name
    assert all(state.means for state in TABLE.states.values())


def test_every_state_has_a_way_out() -> None:
    for state, by_trigger in TABLE.moves_by_source.items():
        assert any(move.dest != state for moves in by_trigger.values() for move in moves), state


@pytest.mark.parametrize("key", REPLIES)
def test_the_codes_are_those_of_the_rfcs(key: str) -> None:
    found = tuple(codes(TABLE, key, one) for one in ("intermediate", "success", "error"))
    assert found == REPLIES[key]


def test_every_list_of_replies_is_used_and_none_is_missing() -> None:
    assert set(TABLE.replies) == set(REPLIES)
    used = {trigger.replies for trigger in TABLE.triggers.values() if trigger.replies is not None}
    assert used == set(REPLIES)


def test_every_command_that_waits_names_its_replies() -> None:
    for name in TABLE.client_triggers():
        trigger = TABLE.triggers[name]
        waits = any(
            ("awaiting", "reply") in move.effect for move in TABLE.moves if move.trigger == name
        )
        assert waits == (trigger.replies is not None), name
        if trigger.replies is not None:
            listed = [one.codes for one in TABLE.replies[trigger.replies]]
            assert all(listed), name


def triggers_for(code: int) -> list[str]:
    """The server triggers that a reply code stands for, the most exact ones."""
    replies = [t for t in TABLE.triggers.values() if t.by == "server"]
    exact = [t.name for t in replies if code in t.codes]
    return exact or [t.name for t in replies if t.digit == code // 100]


@pytest.mark.parametrize("digit", [2, 3, 4, 5])
def test_every_code_stands_for_exactly_one_trigger(digit: int) -> None:
    for code in range(100 * digit, 100 * digit + 60):
        assert len(triggers_for(code)) == 1, code


def test_only_mode_changing_codes_have_triggers_of_their_own() -> None:
    exact = {t.codes: t.name for t in TABLE.triggers.values() if t.codes}
    assert exact == {
        (220,): "reply_220",
        (235,): "reply_235",
        (334,): "reply_334",
        (354,): "reply_354",
        (421,): "reply_421",
    }


def test_every_client_waits_long_enough() -> None:
    for name in TABLE.client_triggers():
        wait = TABLE.triggers[name].wait
        if name == "close":
            assert wait is None
        else:
            assert wait is not None
            assert wait >= MINIMA.get(name, 300), name


def test_where_commands_may_stand_in_a_group() -> None:
    for name in TABLE.client_triggers():
        group = TABLE.triggers[name].group
        if name in ANYWHERE:
            assert group == "anywhere", name
        elif name in ("send_content", "send_dot"):
            assert group == "first", name
        elif name in ("connect", "connect_tls", "close"):
            assert group is None, name
        else:
            assert group == "last", name


def sections(table: Table) -> Iterator[str]:
    """Every RFC reference of a table."""
    yield from (trigger.rfc for trigger in table.triggers.values())
    yield from (row.rfc for row in table.rows)
    yield from (one.rfc for row in table.rows for one in row.restrictions)
    yield from (goal.rfc for goal in table.goals)
    yield from (entry.rfc for entry in table.always)
    yield from (one.rfc for listed in table.replies.values() for one in listed)


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_every_section_is_of_a_listed_rfc(overlays: tuple[str, ...]) -> None:
    table = load_table(overlays=overlays)
    assert {section.partition(" §")[0] for section in sections(table)} <= set(table.rfcs)


def test_a_violation_has_a_culprit_who_acted_and_a_note() -> None:
    for row in TABLE.rows:
        actors = {TABLE.triggers[trigger].by for trigger in row.triggers}
        if row.violation is not None:
            assert row.note
            assert actors <= ({"client"} if row.violation == "client" else {"server", "link"})
        elif row.note is not None:
            assert actors == {"server"}, "only what a server does is borne"


def test_a_violation_by_the_server_ends_the_session() -> None:
    for move in TABLE.moves:
        if move.row.violation == "server":
            assert dict(move.effect)["link"] in ("over", "down"), move.row.id


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_every_shipped_combination_holds(overlays: tuple[str, ...]) -> None:
    verification = verify(load_table(overlays=overlays))
    assert [check.id for check in verification.checks if not check.holds] == []


def reachable(overlays: tuple[str, ...]) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """The reachable configurations, whatever the order of the variables."""
    table = load_table(overlays=overlays)
    return {
        (state, frozenset(zip(table.variables, memory, strict=True)))
        for state, memory in explore(table).places
    }


def test_shipped_overlays_commute() -> None:
    first, *others = permutations(SHIPPED)
    expected = reachable(first)
    for order in others:
        assert reachable(order) == expected, order
