"""The shipped table holds; a table with one thing wrong fails the check that is meant for it.

A failed check shows the shortest run there is to the trouble.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fsm_smtp.machine import ProtocolMachine
from fsm_smtp.table import Table, load_table
from fsm_smtp.verify import Check, Verification, verify
from tests.core.broken import TABLE, Edit, edited
from tests.core.small_table import SMALL

BACK = "  back:\n    none: nowhere\n    SMTP_NONE: back to the start\n"
CHECKS = ["states-reached", "determinism", "no-dead-row"]
OPEN_STARTTLS = "connect reply_220 send_ehlo reply_2yz offer_starttls offers_end send_starttls"


def without(row: str) -> str:
    """The table without a row; without its group too, when the row stood there alone."""
    pattern = rf"      - {{id: {row}, [^\n]*\n(?: {{9}}[^\n]*\n)*"
    text, count = re.subn(pattern, "", TABLE)
    assert count == 1
    return re.sub(
        r"  - about: [^\n]*\n    source: [^\n]*\n(?:    when: [^\n]*\n)?    rows:\n(?!      -)",
        "",
        text,
    )


def changed(old: str, new: str) -> str:
    """The table after one edit."""
    return edited(TABLE, Edit(old, new))


#: What is wrong; the table; the checks that fail, each with the triggers of its shortest run.
BROKEN: dict[str, tuple[str, dict[str, str]]] = {
    "no reply, and nothing happens": (
        without("timeout"),
        {"every-wait-ends": "connect"},
    ),
    "time runs out on all but RCPT": (
        changed(
            "source: {all_but: [SMTP_BANNER, SMTP_CONNECTED, SMTP_SEND_MESSAGE, SMTP_SEND_STREAM]}",
            "source: {all_but: [SMTP_BANNER, SMTP_CONNECTED, SMTP_SEND_MESSAGE, SMTP_SEND_STREAM,"
            " SMTP_RCPT]}",
        ),
        {
            "every-wait-ends": "connect reply_220 send_helo reply_2yz send_mail reply_2yz"
            " send_rcpt",
        },
    ),
    "a reply that nobody asked for is not foreseen": (
        without("unsolicited"),
        {"every-reply-is-judged": "connect reply_220"},
    ),
    "octets that are no reply are not foreseen": (
        without("invalid"),
        {"every-reply-is-judged": "connect"},
    ),
    "a connection without goodbye cannot be closed": (
        without("close-early"),
        {"any-connection-can-be-closed": "connect"},
    ),
    "a connection that is over cannot be closed": (
        without("close"),
        {
            "closed": "connect reply_4yz",
            "any-connection-can-be-closed": "connect reply_4yz",
        },
    ),
    "a handshake cannot fail": (
        without("tls-failed"),
        {"a-handshake-ends": f"{OPEN_STARTTLS} reply_220"},
    ),
    "an offer is not read": (
        without("offer-chunking"),
        {
            "every-offer-is-read": "connect reply_220 send_ehlo reply_2yz",
            "no-dead-row": "",
        },
    ),
    "MAIL waits for ever": (
        changed(
            "dest: same, set: {awaiting: nothing, transaction: open}",
            "dest: same, set: {transaction: open}",
        ),
        {
            "states-reached": "",
            "no-dead-row": "",
        },
    ),
    "no way into AUTH": (
        without("auth"),
        {"states-reached": "", "no-dead-row": ""},
    ),
    "the content is never left": (
        without("dot"),
        {
            "states-reached": "",
            "no-dead-row": "",
            "quit-answered": "connect reply_220 send_helo reply_2yz send_mail reply_2yz"
            " send_rcpt reply_2yz send_data reply_354",
        },
    ),
    "QUIT forgets that it waits": (
        changed(
            "dest: SMTP_QUIT, forget: all, set: {link: closing, awaiting: reply}",
            "dest: SMTP_QUIT, forget: all, set: {link: closing}",
        ),
        {"every-reply-is-judged": "connect reply_220 send_quit"},
    ),
    "a goal that means nothing": (
        changed(
            "    from: {link: [up, closing, over]}",
            "    from: {custom: bdat, tls: yes, greeted: helo}",
        ),
        {"closed": ""},
    ),
    "an always that means nothing": (
        changed(
            "    when: {awaiting: handshake}\n    triggers",
            "    when: {awaiting: handshake, tls: yes}\n    triggers",
        ),
        {"a-handshake-ends": ""},
    ),
}


def failures(verification: Verification) -> dict[str, str]:
    """The checks of the table's form that fail, each with the triggers of its counterexample.

    What its properties say of a broken table is the subject of tests/verify.
    """
    return {
        check.id: " ".join(edge.trigger for edge in check.counterexample)
        for check in formal(verification)
        if not check.holds
    }


def formal(verification: Verification) -> list[Check]:
    properties = {entry.id for entry in verification.table.properties}
    # What is said of running ahead is the subject of tests/ahead.
    checks = (check for check in verification.checks if not check.id.startswith("ahead-"))
    return [check for check in checks if check.id not in properties]


def test_the_shipped_table_holds() -> None:
    table = load_table()
    verification = verify(table)
    assert verification.holds
    assert failures(verification) == {}
    ids = [*CHECKS, *(entry.id for entry in table.always), *(goal.id for goal in table.goals)]
    assert [check.id for check in formal(verification)] == ids
    assert len(set(ids)) == len(ids)
    for check in verification.checks:
        assert check.says
        assert check.problem is None
        assert (check.rfc is None) == (check.id in CHECKS or check.id.startswith("ahead-"))
    assert verification.configurations > 3000
    assert verification.edges > 10 * verification.configurations


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_fails_the_check_meant_for_it(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    verification = verify(load_table(file))
    assert failures(verification) == expected
    assert not verification.holds
    for check in verification.checks:
        assert check.passed == (check.problem is None)


def broken(name: str, tmp_path: Path) -> dict[str, str | None]:
    """What the failing checks say."""
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN[name][0], encoding="utf-8")
    return {check.id: check.problem for check in formal(verify(load_table(file))) if check.problem}


def test_what_failing_checks_say(tmp_path: Path) -> None:
    assert broken("no reply, and nothing happens", tmp_path) == {
        "every-wait-ends": "no row for timeout in SMTP_NONE (link=up, awaiting=reply)"
    }
    assert broken("a goal that means nothing", tmp_path) == {
        "closed": "no reachable configuration is meant by it"
    }
    found = broken("no way into AUTH", tmp_path)
    assert found["states-reached"] == "never reached: SMTP_AUTH"
    assert found["no-dead-row"] is not None
    assert "row auth-accepted (" in found["no-dead-row"]
    assert " on reply_235 from SMTP_AUTH" in found["no-dead-row"]


@pytest.mark.parametrize(
    ("text", "run", "where"),
    [
        pytest.param(TABLE, None, None, id="shipped"),
        pytest.param(
            without("quit"), "connect reply_220", "SMTP_BANNER (link=up)", id="QUIT has no row"
        ),
        pytest.param(
            without("dot"),
            "connect reply_220 send_helo reply_2yz send_mail reply_2yz send_rcpt reply_2yz"
            " send_data reply_354",
            "SMTP_DATA (link=up, greeted=helo, transaction=recipient)",
            id="the content is never left",
        ),
    ],
)
def test_quit_can_be_answered_in_this_very_session(
    text: str, run: str | None, where: str | None, tmp_path: Path
) -> None:
    """Hanging up and connecting anew does not count."""
    file = tmp_path / "table.yaml"
    file.write_text(text, encoding="utf-8")
    verification = verify(load_table(file))
    assert failures(verification).get("quit-answered") == run
    check = next(check for check in verification.checks if check.id == "quit-answered")
    assert check.problem == (where and f"reply_2yz cannot be reached from {where}")


def test_at_the_start_is_said_in_words(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(
        changed(
            "from: {link: [up, closing, over]}\n    reach: {trigger: close}\n    without: [eof]",
            "from: {link: down}\n    reach: {trigger: close}\n    without: [connect, connect_tls]",
        ),
        encoding="utf-8",
    )
    check = next(check for check in verify(load_table(file)).checks if not check.holds)
    assert check.problem == "close cannot be reached from SMTP_NONE (at the start)"
    assert check.counterexample == ()


def with_a_rival(table: Table) -> Table:
    """The table with a second row for RCPT, which the loader would have refused."""
    rival = next(row for row in table.rows if row.id == "rcpt")
    return replace(table, rows=(*table.rows, replace(rival, id="rival", dest="same")))


def test_two_rows_for_one_trigger_are_found_with_the_shortest_run() -> None:
    verification = verify(with_a_rival(load_table()))
    run = "connect reply_220 send_helo reply_2yz send_mail reply_2yz"
    assert failures(verification) == {"determinism": run}
    check = next(check for check in verification.checks if not check.holds)
    assert check.problem == "send_rcpt in SMTP_MAIL has the rows rcpt, rival"


def test_a_variable_that_holds_no_state_leads_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    text = SMALL.replace("triggers:\n  connect", BACK + "triggers:\n  connect")
    text = text.replace("dest: SMTP_NONE, forget: all", "dest: $back, forget: all")
    file.write_text(text, encoding="utf-8")
    table = load_table(file)
    assert failures(verify(table)) == {"no-dead-row": "", "closed": "connect"}
    machine = ProtocolMachine(table)
    model = machine.new_model()
    machine.fire(model, "connect")
    assert machine.legal(model.configuration) == ()


def test_a_policy_may_narrow_a_row_but_not_kill_it(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    head = "schema: 1\nname: policy\nmeans: a test\nrestrict:\n"
    narrow = "  - {rows: [vrfy], when: {greeted: ehlo}, rfc: 5321 §3.5}\n"
    deadly = "  - {rows: [connect-tls], when: {tls: yes}, rfc: 8314 §3.3}\n"
    file.write_text(head + narrow, encoding="utf-8")
    assert failures(verify(load_table(overlays=[file]))) == {}
    file.write_text(head + deadly, encoding="utf-8")
    checks = {check.id: check for check in verify(load_table(overlays=[file])).checks}
    problem = checks["no-dead-row"].problem
    assert problem is not None
    assert re.fullmatch(r"never fires: row connect-tls \(.*transitions\.yaml:\d+:9\)", problem)


def test_a_counterexample_is_a_run_from_the_start() -> None:
    table = with_a_rival(load_table())
    check = next(check for check in verify(table).checks if not check.holds)
    assert check.counterexample[0].source == (table.start_state, table.start_memory)
    for edge, following in zip(check.counterexample, check.counterexample[1:], strict=False):
        assert edge.target == following.source
