"""``fsm-smtp explain``: states, triggers, pairs, names, JSON, width."""

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from fsm_smtp.cli import FINE, UNUSABLE
from fsm_smtp.cli.answer import Answer
from fsm_smtp.cli.answers import about_pair, about_state, about_triggers
from fsm_smtp.diagram.ways import Ways
from fsm_smtp.machine import ProtocolMachine
from fsm_smtp.table import load_table

Outcome = tuple[int, str, str]
Program = Callable[..., Outcome]
TABLE = load_table()


def _section(out: str, heading: str) -> str:
    return out[out.index(heading) :].split("\n\n", maxsplit=1)[0]


def test_a_state(program: Program) -> None:
    code, out, err = program("explain", "MAIL")
    assert (code, err) == (FINE, "")
    assert out.startswith("SMTP_MAIL, documented number 7\n  MAIL is in flight")
    assert "451 452 455 503 550 552 553 555" in out
    assert "at least 300 s" in out
    assert "anywhere in a command group" in out
    client = _section(out, "The client may send")
    assert "RCPT" in client
    assert "DATA" not in client
    server = _section(out, "The server may answer")
    assert "4yz 5yz" in server
    assert "SMTP_CONNECTED" in server
    assert "5321 §3.3" in server


@pytest.mark.parametrize("name", ["mail", "SMTP_MAIL", "smtp_mail", "Mail"])
def test_a_state_by_any_of_its_names(name: str, program: Program) -> None:
    assert program("explain", name) == program("explain", "MAIL")


@pytest.mark.parametrize(
    ("name", "trigger"),
    [
        ("starttls", "send_starttls"),
        ("STARTTLS", "send_starttls"),
        ("send_starttls", "send_starttls"),
        ("354", "reply_354"),
        ("250", "reply_2yz"),
        ("535", "reply_5yz"),
        ("4yz", "reply_4yz"),
        ("eof", "eof"),
        ("send_mail", "send_mail"),
        ("offers_end", "offers_end"),
    ],
)
def test_a_trigger_by_any_of_its_names(name: str, trigger: str, program: Program) -> None:
    code, out, _ = program("explain", name)
    assert code == FINE
    assert f"({trigger}, " in out.splitlines()[0]


def test_a_verb_with_two_triggers_shows_both(program: Program) -> None:
    _, out, _ = program("explain", "BDAT")
    assert "BDAT (send_bdat, 3030 §2) and BDAT LAST (send_bdat_last, 3030 §2)" in out
    assert "Where BDAT LAST may be sent" in out


def test_a_trigger_says_where_and_what_follows(program: Program) -> None:
    _, out, _ = program("explain", "STARTTLS")
    where = _section(out, "Where it may be sent")
    assert "the last EHLO offered STARTTLS" in where
    assert "SMTP_BANNER" not in where
    follows = _section(out, "What may follow it")
    assert "220" in follows
    assert "timeout" in follows


def test_a_pair_that_leads_somewhere_under_conditions(program: Program) -> None:
    _, out, _ = program("explain", "CONNECTED MAIL", "--overlay", "require_tls")
    assert "when the connection is under TLS" in out
    assert "→ SMTP_MAIL" in out
    assert "it is refused" in out


def test_a_pair_that_is_refused_says_why_and_what_instead(program: Program) -> None:
    code, out, _ = program("explain", "BANNER", "MAIL")
    assert code == FINE
    assert "it is legal only in SMTP_CONNECTED, SMTP_SEND_MESSAGE, SMTP_RSET" in out
    instead = _section(out, "What may be sent instead")
    assert "EHLO" in instead
    assert "HELO" in instead
    way = _section(out, "The shortest way to where it is legal")
    assert "S: 250" in way or "S: 2yz" in way
    assert "SMTP_CONNECTED" in way


def test_a_reply_that_is_a_violation_says_why(program: Program) -> None:
    _, out, _ = program("explain", "DATA 250")
    assert "only 354 opens the content" in out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["STARTLS"], "STARTTLS"),
        (["MIAL"], "SMTP_MAIL"),
        (["BANER", "MAIL"], "SMTP_BANNER"),
        (["BANNER", "send_mial"], "send_mail"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(
    arguments: list[str], meant: str, program: Program
) -> None:
    code, out, err = program("explain", *arguments)
    assert (code, out) == (UNUSABLE, "")
    assert f"did you mean {meant}?" in err
    assert len(err.splitlines()) == 1


def test_three_names_are_too_many(program: Program) -> None:
    assert program("explain", "A", "B", "C")[0] == UNUSABLE


def test_json(program: Program) -> None:
    code, out, _ = program("explain", "BANNER", "MAIL", "--json", "-")
    answer = json.loads(out)
    assert code == FINE
    assert answer["kind"] == "pair"
    assert answer["legal"] is False
    assert answer["elsewhere"] == ["SMTP_CONNECTED", "SMTP_SEND_MESSAGE", "SMTP_RSET"]
    assert answer["run"][-1]["state"] == "SMTP_CONNECTED"
    entries = answer["sections"][0]["entries"]
    assert {trigger for entry in entries for trigger in entry["triggers"]} >= {"send_ehlo", "close"}


def _shown(answer: Answer) -> str:
    out = Console(width=80, file=io.StringIO())
    with out.capture() as captured:
        answer.show(out)
    return captured.get()


@pytest.mark.parametrize("state", TABLE.states)
def test_every_state_fits_80_columns(state: str, ways: Ways) -> None:
    out = _shown(about_state(ways, TABLE.states[state]))
    assert max(map(len, out.splitlines())) <= 80
    for way in ways.out_of(state):
        assert way.row.rfc in out


@pytest.mark.parametrize("trigger", TABLE.triggers)
def test_every_trigger_fits_80_columns(trigger: str, ways: Ways) -> None:
    out = _shown(about_triggers(ways, [TABLE.triggers[trigger]]))
    assert TABLE.triggers[trigger].rfc in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("state", TABLE.states)
def test_every_pair_is_legal_or_says_why_not(state: str, ways: Ways) -> None:
    enabled = {t.name for way in ways.out_of(state) for t in way.triggers}
    for trigger in (t for t in TABLE.triggers.values() if t.by == "client"):
        answer = about_pair(ways, TABLE.states[state], [trigger])
        assert answer.details["legal"] == (trigger.name in enabled)
        if trigger.name not in enabled:
            assert answer.details["elsewhere"]
            assert state not in answer.details["elsewhere"]


def test_the_ways_agree_with_the_machine(ways: Ways) -> None:
    """In each reachable configuration a way's shortened guard holds just where its row fires."""
    machine = ProtocolMachine(TABLE)
    names = list(TABLE.variables)
    by_state = {state: list(ways.out_of(state)) for state in TABLE.states}
    for state, memory in ways.graph.places:
        configuration = machine.space.intern(state, memory)
        for way in by_state[state]:
            holds = all(memory[names.index(name)] in values for name, values in way.when)
            step = machine.step(configuration, way.triggers[0].name)
            assert holds == (step.row is not None and step.row.id == way.row.id)
