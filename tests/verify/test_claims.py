"""Mistakes in ``history`` and ``properties`` are refused with their place and a suggestion."""

from pathlib import Path

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.table import load_table
from fsm_smtp.verify import verify
from tests.verify.tables import edited, failed, shipped

MAIL = "precedence: {of: [send_mail, send_mail_binary], needs: session-open}"

MISTAKES = {
    "unknown flag": (
        "needs: session-open}\n    rfc: 5321 §4.1.1.1",
        "needs: sesion-open}\n    rfc: 5321 §4.1.1.1",
        "sesion-open is no flag; did you mean session-open",
    ),
    "unknown trigger": (
        MAIL,
        MAIL.replace("send_mail,", "send_mial,"),
        "send_mial is no event; did you mean send_mail",
    ),
    "unknown trigger in a set": (
        "{on: client, except: send_content}",
        "{on: client, except: send_contnt}",
        "send_contnt is no trigger; did you mean send_content",
    ),
    "unknown event": (
        "universality: {of: more-wanted,",
        "universality: {of: more-wantd,",
        "more-wantd is no event; did you mean more-wanted",
    ),
    "unknown pattern": (
        MAIL,
        MAIL.replace("precedence", "precedance"),
        "'precedance' is no key of a property; did you mean precedence",
    ),
    "no pattern": (f"    {MAIL}\n", "", "a property needs exactly one pattern"),
    "two patterns": (
        MAIL,
        f"{MAIL}\n    absence: {{of: send_mail}}",
        "a property needs exactly one pattern",
    ),
    "missing key": (
        MAIL,
        MAIL.replace(", needs: session-open", ""),
        "precedence needs the key 'needs'",
    ),
    "foreign key": (
        MAIL,
        MAIL.replace("needs:", "leads_to:"),
        "'leads_to' is no key of precedence",
    ),
    "duplicate id": (
        "id: mail-after-hello",
        "id: hello-permitted",
        "the id hello-permitted stands twice",
    ),
    "nothing asked": (
        "{of: tls_up, leads_to: SMTP_BANNER}",
        "{of: tls_up}",
        "universality needs 'among'",
    ),
    "unknown state": (
        "{of: tls_up, leads_to: SMTP_BANNER}",
        "{of: tls_up, leads_to: SMTP_BANER}",
        "SMTP_BANER is no state; did you mean SMTP_BANNER",
    ),
    "unknown culprit": (
        "while: going-on, violation: client}",
        "while: going-on, violation: clent}",
        "violation clent is unknown; did you mean client",
    ),
    "unknown rfc": (
        "needs: session-open}\n    rfc: 5321 §4.1.1.1",
        "needs: session-open}\n    rfc: 5322 §4.1.1.1",
        "RFC 5322 is not among",
    ),
    "flag never used": (
        "  conditions:\n",
        "    idle-flag: {says: nothing, begins: connect}\n  conditions:\n",
        "the flag idle-flag is never used",
    ),
    "flag named like a trigger": (
        "  conditions:\n",
        "    eof: {says: nothing, begins: connect}\n  conditions:\n",
        "a flag cannot have the name eof",
    ),
    "condition named like a flag": (
        "  conditions:\n",
        "  conditions:\n    over: [connected]\n",
        "over is already the name of a flag",
    ),
    "event named like a set": (
        "  events:\n",
        "  events:\n    success: [eof]\n",
        "success is already the name of a set of triggers",
    ),
    "contradiction": (
        "going-on: [connected, not going",
        "going-on: [connected, going, not going",
        "going and not going",
    ),
    "negated condition": (
        "while: [ready, session-open, not chunk-refused]}",
        "while: [not ready, session-open]}",
        "cannot be negated",
    ),
    "not a command": (
        "{on: refusal, answering: send_dot}",
        "{on: refusal, answering: send_content}",
        "send_content is no command",
    ),
    "nothing to except": (
        "{on: client, except: send_content}",
        "{on: client, except: eof}",
        "not among the triggers",
    ),
    "nothing left": (
        "{on: client, except: send_content}",
        "{on: send_content, except: client}",
        "no trigger is left",
    ),
    "no event": (
        "universality: {of: more-wanted,",
        "universality: {of: [],",
        "at least one event is needed",
    ),
    "permission of an event": (
        "permission: {of: close, while: connected}",
        "permission: {of: {on: close, while: over}, while: connected}",
        "permission speaks of triggers alone",
    ),
    "requirement twice": (
        "requirements: [R041, R088, S09]",
        "requirements: [R041, R041]",
        "requirement R041 stands twice",
    ),
    "initially no truth value": (
        "      says: the connection is open\n",
        "      says: the connection is open\n      initially: maybe\n",
        "initially must be true or false",
    ),
    "taken set name": (
        "    refusal: [reply_4yz, reply_5yz]\n",
        "    refusal: [reply_4yz, reply_5yz]\n    client: [eof]\n",
        "client already stands for a set",
    ),
}


@pytest.mark.parametrize(("old", "new", "what"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_at_its_place(old: str, new: str, what: str, tmp_path: Path) -> None:
    path = edited(tmp_path, (old, new))
    with pytest.raises(SpecError) as raised:
        load_table(path)
    assert what in str(raised.value)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert raised.value.path == str(path)
    assert raised.value.column <= len(lines[raised.value.line - 1])


def _overlay(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(f"schema: 1\nname: mine\nmeans: a test\n{text}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "drop_properties: [one-at-a-tim]",
            "no property one-at-a-tim to drop; did you mean one-at",
        ),
        (
            "narrow:\n  - {properties: quit-permited, while: greeted, rfc: 5321 §3.1}",
            "did you mean quit-p",
        ),
        (
            "narrow:\n  - {properties: quit-permitted, while: greted, rfc: 5321 §3.1}",
            "did you mean greeted",
        ),
        ("narrow:\n  - {properties: quit-permitted, rfc: 5321 §3.1}", "needs the key 'while'"),
        (
            "properties:\n  - {id: one-at-a-time, says: x, absence: {of: eof}, rfc: 5321 §3.1}",
            "there is already a property one-at-a-time",
        ),
    ],
)
def test_a_mistake_in_an_overlay_is_refused(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as raised:
        load_table(overlays=[_overlay(tmp_path, text)])
    assert what in str(raised.value)


def test_two_overlays_may_drop_the_same_property(tmp_path: Path) -> None:
    text = "drop_properties: [mail-in-clear]\n"
    table = load_table(overlays=["require_tls", _overlay(tmp_path, text)])
    assert "mail-in-clear" not in {one.id for one in table.properties}


def test_conditions_of_several_overlays_add_up() -> None:
    table = shipped("auth_wanted", "no_auth_retry", "require_tls")
    when = {one.id: one.when for one in table.properties}
    assert {"under-tls", "authenticated"} <= set(when["mail-permitted"].held)
    assert "under-tls" in when["auth-permitted"].held
    assert "rejected" in when["auth-permitted"].absent


@pytest.mark.parametrize(
    ("written", "problem", "run"),
    [
        ("response: {of: connect, follows: tls_up}", "came first", ["connect", "close"]),
        (
            "response: {of: connect, follows: reply_220, before: send_mail}",
            "for ever",
            ["connect", "reply_4yz"],
        ),
        ("existence: {of: {on: tls_up, while: transaction}, while: [not connected]}", "no run", []),
    ],
    ids=["too-early", "never", "nowhere"],
)
def test_what_fails_is_shown(written: str, problem: str, run: list[str], tmp_path: Path) -> None:
    text = f"properties:\n  - {{id: mine, says: x, {written}, rfc: 5321 §3.1}}\n"
    check = failed(verify(load_table(overlays=[_overlay(tmp_path, text), "require_tls"])))["mine"]
    assert check.problem is not None
    assert problem in check.problem
    assert [edge.trigger for edge in check.counterexample[: len(run)]] == run
    assert not check.holds


def test_an_event_that_its_own_scope_excludes_never_happens(tmp_path: Path) -> None:
    """Plaintext before the handshake, while no handshake is due: one contradicts the other."""
    text = (
        "properties:\n  - {id: mine, says: x, rfc: 5321 §3.1,"
        " existence: {of: in-clear-before-tls, while: not handshaking}}\n"
    )
    check = failed(verify(load_table(overlays=[_overlay(tmp_path, text)])))["mine"]
    assert check.problem == "no run has such an event"


def test_a_dead_end_is_no_response(tmp_path: Path) -> None:
    ends = "    rows:\n      - {id: connect, on: connect,"
    path = edited(
        tmp_path,
        (ends, ends.replace("on: connect,", "on: connect_tls,")),
        (
            "on: connect_tls, dest: same, set: {link: up, awaiting: reply, tls: yes}",
            "on: connect, dest: SMTP_QUIT, set: {awaiting: handshake}",
        ),
        (
            "  - id: one-connection\n",
            "  - {id: mine, says: x, response: {of: connect, follows: eof, before: eof},"
            " rfc: 5321 §3.1}\n  - id: one-connection\n",
        ),
    )
    check = failed(verify(load_table(path)))["mine"]
    assert check.problem == "nothing can follow"
    assert [edge.trigger for edge in check.counterexample] == ["connect"]


def test_flags_may_hold_at_the_start(tmp_path: Path) -> None:
    text = (
        "history:\n  flags:\n    fresh: {says: never connected, begins: eof, ends: connect,"
        " initially: true}\nproperties:\n"
        "  - {id: mine, says: x, absence: {of: connect, while: fresh}, rfc: 5321 §3.1}\n"
    )
    check = failed(verify(load_table(overlays=[_overlay(tmp_path, text), "require_tls"])))["mine"]
    assert [edge.trigger for edge in check.counterexample] == ["connect"]
