"""What a server owes is refused where it is wrong, incomplete, or contradicts the client's rows.

Every case edits the shipped section in one place; `▶` marks where the error must point.
"""

from pathlib import Path

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.table import load_table
from fsm_smtp.table.server import checked_server
from fsm_smtp.yaml_source import nearest, read_yaml
from tests.core.broken import (
    HERE,
    SPECS,
    TABLE,
    Edit,
    Mistake,
    assert_error,
    edited,
    mistake,
    place,
)

WHOLE = (SPECS / "transitions.yaml").read_text(encoding="utf-8")
SECTION = "server:" + WHOLE.split("\nserver:")[1]
NOOP = "          answers: {done: {codes: 250}}\n"
QUIT = "          answers: {going: {codes: 221, then: {mode: closed}}}\n"


def assert_section_refused(case: Mistake, tmp_path: Path, *more: Edit) -> None:
    """Reading the edited section raises the error, at the marked place."""
    file = tmp_path / "section.yaml"
    file.write_text(edited(SECTION, case.edit, *more), encoding="utf-8")
    node = read_yaml(file).mapping("the file")["server"].value
    with pytest.raises(SpecError) as caught:
        checked_server(node, load_table())
    assert_error(caught.value, file, place(SECTION, case.edit, *more), case.what, case.suggestion)


def marking(text: str) -> Edit:
    """Only marks the place before *text*: the error points there, and not at the mistake."""
    indent = text[: len(text) - len(text.lstrip(" -"))]
    return Edit(text, f"{indent}{HERE}{text[len(indent) :]}")


def test_a_table_need_not_say_what_a_server_owes(tmp_path: Path) -> None:
    file = tmp_path / "table.yaml"
    file.write_text(TABLE, encoding="utf-8")
    assert load_table(file).server is None


def test_an_overlay_binds_the_client_and_not_the_server() -> None:
    assert load_table(overlays=("no_auth_retry",)).server == load_table().server


@pytest.mark.parametrize("name", ["mine", "&name mine"], ids=["simple", "with an anchor"])
def test_what_a_server_owes_is_read_when_it_is_asked_for(name: str, tmp_path: Path) -> None:
    """… and its mistakes have their places in the file; also where no part stands alone."""
    file = tmp_path / "table.yaml"
    edits = (
        Edit("name: smtp-client\n", f"name: {name}\n"),
        Edit("view: [greeted,", "view: [▶greted,"),
    )
    file.write_text(edited(WHOLE, *edits), encoding="utf-8")
    table = load_table(file)
    for _ in range(2):
        with pytest.raises(SpecError) as caught:
            _ = table.server
        at = place(WHOLE, *edits)
        assert_error(caught.value, file, at, "greted is no variable", "greeted")


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "variable of the view",
            "view: [greeted,",
            "view: [▶greted,",
            "greted is no variable",
            "greeted",
        ),
        mistake(
            "mode without states",
            "    handshake: {means: the TLS handshake behind the reply, passing: true}",
            "    handshake: ▶{means: the TLS handshake behind the reply}",
            "the mode handshake must have states, or be passing",
        ),
        mistake(
            "mode that is passing and has states",
            "    handshake: {means: the TLS handshake behind the reply, passing: true}",
            "    handshake: ▶{means: the TLS handshake, states: SMTP_MAIL, passing: true}",
            "the mode handshake must have states, or be passing",
        ),
        mistake(
            "truth",
            "the reply, passing: true}",
            "the reply, passing: ▶perhaps}",
            "passing must be true or false",
        ),
        mistake(
            "no truth",
            "{codes: 421, closes: true,",
            "{codes: 421, closes: ▶1,",
            "closes must be true or false",
        ),
        mistake(
            "passing mode",
            "      through: handshake",
            "      through: ▶handshakes",
            "passing mode handshakes is unknown",
            "handshake",
        ),
        mistake(
            "trigger of the client",
            "lines: NOOP, sends: send_noop",
            "lines: NOOP, sends: ▶send_nop",
            "trigger send_nop is unknown",
            "send_noop",
        ),
        mistake(
            "class of replies",
            "      after: {220: tls_up}",
            "      after: {▶250: tls_up}",
            "250 is no class of replies",
        ),
        mistake(
            "class of positive replies",
            'lines: "{plain}", sends: send_response, never: 3yz',
            'lines: "{plain}", sends: send_response, never: ▶5yz',
            "5yz is no class",
            nearest("5yz", ("2yz", "3yz")),
        ),
        mistake(
            "placeholder",
            'lines: "VRFY {recipient}"',
            'lines: ▶"VRFY {recipent}"',
            "{recipent} is no placeholder",
            "recipient",
        ),
        mistake(
            "octets that are none",
            "lines: BDAT many",
            'lines: ▶"BDAT {octets}"',
            "the input has no octets to count",
        ),
        mistake(
            "line end in a line",
            "lines: NOOP,",
            'lines: ▶"NOOP\\r\\nNOOP",',
            "a line must not contain control characters",
        ),
        mistake(
            "mode of an input",
            "      modes: [content, closed]\n",
            "      modes: [▶contents, closed]\n",
            "contents is no mode",
            "content",
        ),
        mistake(
            "code",
            NOOP,
            NOOP.replace("250", "▶260"),
            "260 is no reply code and no class of them",
        ),
        mistake(
            "word for a code",
            NOOP,
            NOOP.replace("250", "▶nothing"),
            "nothing is no reply code and no class of them",
        ),
        mistake(
            "code of anywhere",
            "{codes: 421, closes: true,",
            "{codes: ▶none, closes: true,",
            "none is no reply code and no class of them",
        ),
        mistake(
            "code twice",
            NOOP,
            NOOP.replace("250", "[250, ▶250]"),
            "code 250 stands twice",
        ),
        mistake(
            "no code",
            NOOP,
            NOOP.replace("250", "▶[]"),
            "at least one code is needed",
        ),
        mistake(
            "no answer",
            NOOP,
            "          answers: ▶{}\n",
            "at least one answer is needed",
        ),
        mistake(
            "entry's id",
            "        - id: noop\n",
            "        - id: ▶rset\n",
            "the id rset stands twice",
        ),
        mistake(
            "level",
            "          on: noop\n          level: MUST",
            "          on: noop\n          level: ▶MUSTN",
            "level MUSTN is unknown",
            "MUST",
        ),
        mistake(
            "reference",
            NOOP + "          rfc: 5321",
            NOOP + "          rfc: ▶5322",
            "RFC 5322 is not among the table's rfcs",
            "5321",
        ),
        mistake(
            "input that is not sent there",
            "          on: noop\n",
            "          on: [noop, ▶end_of_data]\n",
            "end_of_data is not sent in the mode command",
        ),
        mistake(
            "input",
            "          on: noop\n",
            "          on: ▶nop\n",
            "nop is no input",
            "noop",
        ),
        mistake(
            "guard that excludes nothing",
            "          on: noop\n",
            "          on: noop\n          when: {tls: ▶[no, yes]}\n",
            "the guard on tls excludes nothing; leave it out",
        ),
        mistake(
            "guard over what is not seen",
            "          on: noop\n",
            "          on: noop\n          when: {▶binary: no}\n",
            "binary is not in the view",
        ),
        mistake(
            "change of what is not seen",
            NOOP,
            NOOP.replace("250", "250, then: {▶chunkin: none}"),
            "chunkin is not in the view",
            "chunking",
        ),
        mistake(
            "value",
            NOOP,
            NOOP.replace("250", "250, then: {greeted: ▶elo}"),
            "elo is no value of greeted",
            "helo",
        ),
        mistake(
            "mode that follows",
            QUIT,
            QUIT.replace("closed}", "▶handshake}"),
            "mode handshake is unknown",
        ),
    ],
)
def test_a_wrong_name_or_value(case: Mistake, tmp_path: Path) -> None:
    assert_section_refused(case, tmp_path)


def test_a_server_rests_in_some_mode(tmp_path: Path) -> None:
    before, _, rest = SECTION.partition("  modes:\n")
    _, _, behind = rest.partition("  inputs:\n")
    modes = "  modes: {handshake: {means: no rest, passing: true}}\n"
    file = tmp_path / "section.yaml"
    file.write_text(f"{before}{modes}  inputs:\n{behind}", encoding="utf-8")
    node = read_yaml(file).mapping("the file")["server"].value
    with pytest.raises(SpecError, match="at least one mode must not be passing"):
        checked_server(node, load_table())


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "owed twice",
            "        - id: noop\n",
            "        - id: first\n          on: noop\n          when: {tls: yes}\n"
            "          level: MUST\n          says: again\n" + NOOP + "          rfc: 5321 §4.2\n"
            "        - ▶id: noop\n",
            "entries first and noop both speak of noop in command, tls yes",
        ),
        mistake(
            "idle entry",
            "        - id: noop\n",
            "        - ▶id: idle\n          on: noop\n          when: {transaction: none, "
            "chunking: begun}\n          level: MUST\n          says: idle\n" + NOOP + ""
            "          rfc: 5321 §4.2\n        - id: noop\n",
            "entry idle never applies to noop: no run leads there",
        ),
        mistake(
            "choice per what cannot vary",
            "        - id: starttls-under-tls\n",
            "        - ▶id: starttls-under-tls\n          per: tls\n",
            "entry starttls-under-tls: tls has one value here; it cannot be per it",
        ),
        mistake(
            "mode that no run leads to",
            "    closed: {means: nothing;",
            "    ▶asleep: {means: sleep, states: SMTP_NONE}\n    closed: {means: nothing;",
            "no run leads to the mode asleep",
        ),
    ],
)
def test_what_is_owed_is_definite_and_needed(case: Mistake, tmp_path: Path) -> None:
    assert_section_refused(case, tmp_path)


def test_what_is_owed_is_complete(tmp_path: Path) -> None:
    """The error points at the input."""
    edit = Edit("          on: noop\n", "          on: noop\n          when: {tls: no}\n")
    what = "nothing is owed to noop in command, tls yes"
    case = Mistake("nothing owed", edit, what, None)
    assert_section_refused(case, tmp_path, marking("    noop: {means: NOOP"))


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "reply that the table does not list",
            NOOP,
            NOOP.replace("{codes: 250}", "▶{codes: 252}").replace("{done: ▶", "{▶done: "),
            "entry noop: the table lists no reply 252 to send_noop",
        ),
        mistake(
            "reply that the client does not accept",
            NOOP,
            NOOP.replace("{done: {codes: 250}", "{done: {codes: 250}, ▶more: {codes: 3yz}"),
            "entry noop: the client does not accept 3yz to noop",
        ),
        mistake(
            "view that is another",
            NOOP,
            NOOP.replace("{done: {codes: 250", "{▶done: {codes: 250, then: {greeted: ehlo}"),
            "entry noop: done leads to command, greeted ehlo, "
            "but the client's SMTP_BANNER holds command",
        ),
        mistake(
            "difference that is none",
            NOOP,
            NOOP.replace("{done: {codes: 250", "{▶done: {codes: 250, differs: it does not"),
            "entry noop: the client sees the same behind done; leave out 'differs'",
        ),
    ],
)
def test_an_answer_agrees_with_the_client(case: Mistake, tmp_path: Path) -> None:
    assert_section_refused(case, tmp_path)


@pytest.mark.parametrize(
    ("case", "at"),
    [
        (
            Mistake(
                "beginning",
                Edit("begins: [connect, reply_220]", "begins: [connect, connect_tls]"),
                "no session begins with connect, connect_tls",
                None,
            ),
            "    command:\n      means",
        ),
        (
            Mistake(
                "grant of what no client may do",
                Edit(
                    "          says: DATA behind a chunk that failed is answered 503 and changes "
                    "nothing\n          answers: {refused: {codes: [501, 503]}}",
                    "          says: wrong\n          answers: {accepted: {codes: 354}}",
                ),
                "entry data-after-failed-chunk grants data, which no client may send here, "
                "and allows nothing else",
                None,
            ),
            "        - id: data-after-failed-chunk\n",
        ),
        (
            Mistake(
                "hope that is never granted",
                Edit(
                    "            challenged: {codes: 334, then: {mode: sasl}}\n"
                    "            refused: {codes: [4yz, 5yz]}\n",
                    "            refused: {codes: [4yz, 5yz]}\n",
                ),
                "entry auth: the client may be answered 3yz to send_auth, and no input grants that",
                None,
            ),
            "        - id: auth\n",
        ),
        (
            Mistake(
                "grant of what is never granted",
                Edit(
                    'lines: "{plain}", sends: send_response, never: 3yz',
                    'lines: "{plain}", sends: send_response, never: [2yz, 3yz]',
                ),
                "entry response grants 235 to response, which is never granted",
                None,
            ),
            "            accepted: {codes: 235, then: {mode: command, authenticated: yes}}",
        ),
    ],
    ids=lambda value: value.name.replace(" ", "-") if isinstance(value, Mistake) else "",
)
def test_client_and_server_cannot_contradict_each_other(
    case: Mistake, at: str, tmp_path: Path
) -> None:
    """The error points at the entry, the answer or the mode that is at fault."""
    assert_section_refused(case, tmp_path, marking(at))
