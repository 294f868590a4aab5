"""Duplicates, contradictions, bad references, codes and kinds are refused at their very place.

Every case edits the shipped table in one place; `▶` marks where the error must point.
"""

from pathlib import Path

import pytest

from tests.core.broken import Mistake, assert_refused, mistake

RCPT = "{id: rcpt, on: send_rcpt, dest: SMTP_RCPT, set: {awaiting: reply}, rfc: 5321 §3.3}"
QUIT = (
    "[success, refusal, reply_421], dest: same, forget: all, set: {link: over}, rfc: 5321 §4.1.1.10"
)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "state",
            "  SMTP_BANNER: {value: 1,",
            "  ▶SMTP_NONE: {value: 1,",
            "the key SMTP_NONE stands twice",
        ),
        mistake(
            "state's value",
            "  SMTP_BANNER: {value: 1,",
            "  ▶SMTP_BANNER: {value: 0,",
            "SMTP_BANNER has the value 0, which is SMTP_NONE's",
        ),
        mistake(
            "trigger",
            "  eof: {by: link",
            "  ▶tls_up: {by: link",
            "the key tls_up stands twice",
        ),
        mistake(
            "variable",
            "  awaiting:\n    nothing:",
            "  ▶link:\n    down: again\n  awaiting:\n    nothing:",
            "the key link stands twice",
        ),
        mistake(
            "value",
            "    yes: AUTH has succeeded",
            "    ▶no: AUTH has succeeded",
            "the key no stands twice",
        ),
        mistake(
            "number written in another way",
            "  1870: Message",
            "  0x20CD: no such RFC\n  ▶8397: nor this\n  1870: Message",
            "the key 8397 stands twice",
        ),
        mistake(
            "row",
            "{id: helo, on",
            "{id: ▶ehlo, on",
            "the id ehlo stands twice",
        ),
        mistake(
            "goal",
            "  - id: closed\n",
            "  - id: ▶quit-answered\n",
            "the id quit-answered stands twice",
        ),
        mistake(
            "trigger of a row",
            QUIT,
            QUIT.replace("refusal", "▶reply_220, refusal"),
            "trigger reply_220 stands twice",
        ),
        mistake(
            "value of a guard",
            "when: {custom: [bdat, bdat_last]}",
            "when: {custom: [bdat, ▶bdat]}",
            "value bdat of custom stands twice",
        ),
        mistake(
            "name of a set and of a state",
            "    idle: [SMTP_CONNECTED,",
            "    ▶SMTP_QUIT: [SMTP_CONNECTED,",
            "the set SMTP_QUIT has the name of a state",
        ),
        mistake(
            "code of a trigger",
            "codes: [235]",
            "codes: [235, ▶235]",
            "code 235 stands twice",
        ),
        mistake(
            "reply of two triggers",
            "  reply_235: {by: server, codes: [235]",
            "  ▶reply_235: {by: server, codes: [220]",
            "reply_235 stands for the reply 220, as reply_220 does",
        ),
        mistake(
            "digit of two triggers",
            "  reply_5yz: {by: server, digit: 5",
            "  ▶reply_5yz: {by: server, digit: 4",
            "reply_5yz stands for any other reply 4yz, as reply_4yz does",
        ),
        mistake(
            "keyword of two triggers",
            "  offer_auth: {by: server, keyword: AUTH",
            "  ▶offer_auth: {by: server, keyword: STARTTLS",
            "offer_auth stands for the EHLO keyword STARTTLS, as offer_starttls does",
        ),
        mistake(
            "command of two triggers",
            "  send_expn: {by: client, verb: EXPN",
            "  ▶send_expn: {by: client, verb: VRFY",
            "send_expn stands for the command VRFY, as send_vrfy does",
        ),
        mistake(
            "command line of two triggers",
            "  send_bdat_last: {by: client, verb: BDAT",
            "  send_bdat_end: {by: client, verb: BDAT, argument: LAST, means: x, rfc: 3030 §2}\n"
            "  ▶send_bdat_last: {by: client, verb: BDAT",
            "send_bdat_last stands for the command BDAT LAST, as send_bdat_end does",
        ),
    ],
)
def test_what_stands_twice(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "two rows can both fire",
            RCPT,
            RCPT
            + "\n      - ▶{id: rcpt-again, on: send_rcpt, when: {transaction: open}, dest: same,"
            " rfc: 5321 §3.3}",
            "rows rcpt and rcpt-again can both fire on send_rcpt in SMTP_MAIL",
        ),
        mistake(
            "guards that exclude each other",
            "on: send_data, when: {chunking: none,",
            "on: send_data, when: ▶{transaction: open, chunking: none,",
            "row data can never fire: its guards on transaction exclude each other",
        ),
        mistake(
            "guard that lets nothing pass",
            "chunking: none, binary: no}, dest: SMTP_DATA",
            "chunking: none, binary: ▶[]}, dest: SMTP_DATA",
            "the guard on binary lets nothing pass",
        ),
        mistake(
            "guard that excludes every value",
            "chunking: none, binary: no}, dest: SMTP_DATA",
            "chunking: none, binary: ▶{not: [no, yes]}}, dest: SMTP_DATA",
            "the guard on binary lets nothing pass",
        ),
        mistake(
            "group's guard that lets nothing pass",
            "source: may_authenticate\n    when: {link: up,",
            "source: may_authenticate\n    when: {link: ▶{not: [down, up, closing, over]},",
            "the guard on link lets nothing pass",
        ),
        mistake(
            "guard that excludes nothing",
            "- {id: data, on: send_data, when: {chunking: none, binary: no}",
            "- ▶{id: data, on: send_data, when: {chunking: none, binary: [no, yes]}",
            "row data: the guard on binary excludes nothing; leave it out",
        ),
        mistake(
            "guard that excludes an empty list",
            "- {id: data, on: send_data, when: {chunking: none, binary: no}",
            "- ▶{id: data, on: send_data, when: {chunking: none, binary: {not: []}}",
            "row data: the guard on binary excludes nothing; leave it out",
        ),
        mistake(
            "dest a variable that holds no state",
            "- {id: tls-up, on: tls_up, dest: SMTP_BANNER",
            "- ▶{id: tls-up, on: tls_up, dest: $greeted",
            "row tls-up can never fire: greeted can hold no state here",
        ),
        mistake(
            "$source kept where it does not fit",
            "- {id: dot, on: send_dot, dest: SMTP_DOT, set: {awaiting: reply}",
            "- ▶{id: dot, on: send_dot, dest: SMTP_DOT, set: {awaiting: reply, return_to: $source}",
            "row dot: SMTP_DATA is no value of return_to",
        ),
        mistake(
            "no trigger",
            "on: tls_failed,",
            "on: ▶[],",
            "at least one trigger is needed",
        ),
        mistake(
            "no source",
            "source: [SMTP_DATA, SMTP_SEND_STREAM]",
            "source: ▶[]",
            "at least one state is needed",
        ),
        mistake(
            "variable without values",
            "variables:\n  link:\n",
            "variables:\n  colour: ▶{}\n  link:\n",
            "variable colour has no values",
        ),
    ],
)
def test_a_row_that_cannot_be_meant(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "no paragraph sign",
            "rfc: 8314 §3.3}\n  send_ehlo",
            "rfc: ▶8314 3.3}\n  send_ehlo",
            "'8314 3.3' is no RFC reference; write it like 5321 §4.1.4",
        ),
        mistake(
            "section that ends in a dot",
            "rfc: 8314 §3.3}\n  send_ehlo",
            "rfc: ▶8314 §3.}\n  send_ehlo",
            "'8314 §3.' is no RFC reference; write it like 5321 §4.1.4",
        ),
        mistake(
            "RFC that the table does not list",
            "rfc: 8314 §3.3}\n  send_ehlo",
            "rfc: ▶8315 §3.3}\n  send_ehlo",
            "RFC 8315 is not among the table's rfcs",
            "8314",
        ),
        mistake(
            "bare number",
            "rfc: 8314 §3.3}\n  send_ehlo",
            "rfc: ▶8314}\n  send_ehlo",
            "rfc must be a string",
        ),
        mistake(
            "of replies",
            "error: {3207 §4: [454]}",
            "error: {▶3207: [454]}",
            "'3207' is no RFC reference; write it like 5321 §4.1.4",
        ),
        mistake(
            "of replies, unknown",
            "error: {3207 §4: [454]}",
            "error: {▶3270 §4: [454]}",
            "RFC 3270 is not among the table's rfcs",
            "3207",
        ),
    ],
)
def test_a_reference_that_does_not_parse(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "code of another class",
            "success: {3207 §4: [220]}",
            "success: {3207 §4: [▶320]}",
            "320 is no reply code that begins with 2",
        ),
        mistake(
            "error of another class",
            "error: {3207 §4: [454]}",
            "error: {3207 §4: [▶254]}",
            "254 is no reply code that begins with 4 or 5",
        ),
        mistake(
            "second digit",
            "error: {3207 §4: [454]}",
            "error: {3207 §4: [▶464]}",
            "464 is no reply code that begins with 4 or 5",
        ),
        mistake(
            "four digits",
            "codes: [334]",
            "codes: [▶3340]",
            "3340 is no reply code that begins with 2 or 3 or 4 or 5",
        ),
        mistake("word", "codes: [334]", "codes: [▶challenge]", "a code must be a whole number"),
        mistake("truth", "codes: [334]", "codes: [▶true]", "a code must be a whole number"),
        mistake("not in a list", "codes: [334]", "codes: ▶334", "codes must be a sequence"),
        mistake("none", "codes: [334]", "codes: ▶[]", "at least one code is needed"),
        mistake(
            "no class",
            "  QUIT:\n    success: {5321 §4.3.2: [221]}",
            "  QUIT: ▶{}",
            "the replies to QUIT list no code",
        ),
        mistake(
            "first digit", "digit: 3,", "digit: ▶1,", "the first digit of a reply is 2, 3, 4 or 5"
        ),
        mistake(
            "no time to wait", "wait: 120", "wait: ▶0", "wait must be a positive number of seconds"
        ),
        mistake("broken number", "wait: 120", "wait: ▶12_", "12_ is no number"),
    ],
)
def test_a_code_or_number_out_of_range(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "schema of another version", "schema: 1", "schema: ▶2", "this version reads schema 1"
        ),
        mistake("schema in words", "schema: 1", "schema: ▶one", "schema must be a whole number"),
        mistake("name that is none", "name: smtp-client", "name: ▶1.5", "name must be a name"),
        mistake(
            "title that is none",
            "  1870: Message Size Declaration",
            "  1870: ▶[]",
            "a title must be a string",
        ),
        mistake(
            "section that is no mapping",
            "replies:\n  any:\n    error:",
            "replies:\n  any: ▶5\n  some:\n    error:",
            "replies must be a mapping",
        ),
        mistake(
            "rows that are no sequence",
            "  - about: the greeting\n",
            "  - {about: nothing, source: rest, rows: ▶{}}\n  - about: the greeting\n",
            "rows must be a sequence",
        ),
        mistake(
            "names that are a mapping",
            "on: tls_failed,",
            "on: ▶{tls_failed: yes},",
            "a trigger must be a name or a sequence of names",
        ),
        mistake(
            "name that is a truth",
            "on: tls_failed,",
            "on: ▶true,",
            "a trigger must be a name",
        ),
        mistake(
            "values inside values",
            "chunking: none, binary: no}, dest: SMTP_DATA",
            "chunking: none, binary: {not: ▶{not: yes}}}, dest: SMTP_DATA",
            "the values must be a name or a sequence of names",
        ),
    ],
)
def test_a_value_of_another_kind(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)
