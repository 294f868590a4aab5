"""Unknown and missing keys and names are refused: file, line, column, and what was perhaps meant.

Every case edits the shipped table in one place; `▶` marks where the error must point.
"""

from pathlib import Path

import pytest

from tests.core.broken import Mistake, assert_refused, mistake

CONNECT = "{id: connect, on: connect, dest: same, set: {link: up, awaiting: reply}, rfc: 5321 §3.1}"
RCPT = "{id: rcpt, on: send_rcpt, dest: SMTP_RCPT, set: {awaiting: reply}, rfc: 5321 §3.3}"
INVALID = (
    "{id: invalid, on: reply_invalid, dest: same, forget: all, set: {link: over},\n"
    "         violation: server, note: these octets are no reply"
)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "unknown section",
            "goals:\n",
            "▶gaols:\n",
            "'gaols' is no key of a table",
            "goals",
        ),
        mistake(
            "duplicate section",
            "rfcs:\n  1870",
            "▶name: again\nrfcs:\n  1870",
            "the key name stands twice",
        ),
        mistake(
            "unknown key of a state",
            "SMTP_NONE: {value: 0, means",
            "SMTP_NONE: {value: 0, ▶mean",
            "'mean' is no key of a state",
            "means",
        ),
        mistake(
            "unknown key of a trigger",
            "tls_up: {by: link,",
            "tls_up: {by: link, ▶weight: 3,",
            "'weight' is no key of a trigger",
            "wait",
        ),
        mistake(
            "key of another party's trigger",
            "eof: {by: link,",
            "eof: {by: link, ▶wait: 3,",
            "'wait' is no key of a trigger by link",
        ),
        mistake(
            "unknown key of a group",
            "  - about: no connection yet\n    source",
            "  - about: no connection yet\n    ▶sauce",
            "'sauce' is no key of a group",
            "source",
        ),
        mistake(
            "unknown key of a row",
            RCPT,
            RCPT.replace("dest:", "▶desk:"),
            "'desk' is no key of a row",
            "dest",
        ),
        mistake(
            "unknown key of a goal",
            "    reach: {trigger: close}",
            "    ▶preach: {trigger: close}",
            "'preach' is no key of a goal",
            "reach",
        ),
        mistake(
            "unknown key of what a goal reaches",
            "reach: {trigger: close}",
            "reach: {trigger: close, ▶sources: SMTP_QUIT}",
            "'sources' is no key of reach",
            "source",
        ),
        mistake(
            "unknown key of an entry of always",
            "    triggers: [timeout]\n",
            "    ▶trigger: [timeout]\n",
            "'trigger' is no key of an entry",
            "triggers",
        ),
        mistake(
            "unknown kind of set",
            "sets:\n  triggers:",
            "sets:\n  ▶trigger:",
            "'trigger' is no key of sets",
            "triggers",
        ),
        mistake(
            "unknown reply class",
            "  RSET:\n    success:",
            "  RSET:\n    ▶sucess:",
            "'sucess' is no key of replies",
            "success",
        ),
        mistake(
            "source neither names nor all_but",
            "{all_but: [SMTP_QUIT]}\n    when: {link: [up, closing]",
            "{▶but: [SMTP_QUIT]}\n    when: {link: [up, closing]",
            "'but' is no key of a source",
            "all_but",
        ),
        mistake(
            "values neither names nor not",
            "chunking: none, binary: no}, dest: SMTP_DATA",
            "chunking: {▶isnt: failed}, binary: no}, dest: SMTP_DATA",
            "'isnt' is no key of the values",
            None,
        ),
        mistake("missing section", "schema: 1\n", "▶", "a table needs the key 'schema'"),
        mistake(
            "missing key of a row",
            CONNECT,
            "▶" + CONNECT.replace(", rfc: 5321 §3.1", ""),
            "a row needs the key 'rfc'",
        ),
        mistake(
            "row without an id",
            CONNECT,
            "▶" + CONNECT.replace("id: connect, ", ""),
            "a row needs the key 'id'",
        ),
        mistake(
            "group without rows",
            "  - about: the greeting\n",
            "  - ▶about: nothing\n    source: rest\n  - about: the greeting\n",
            "a group needs the key 'rows'",
        ),
        mistake(
            "violation without a note",
            INVALID,
            "▶" + INVALID.replace(", note: these octets are no reply", ""),
            "a row with a violation needs a note that says why",
        ),
    ],
)
def test_an_unknown_or_missing_key(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        mistake(
            "unknown state in dest",
            "on: send_rcpt, dest: SMTP_RCPT",
            "on: send_rcpt, dest: ▶SMTP_RCTP",
            "dest SMTP_RCTP is no state",
            "SMTP_RCPT",
        ),
        mistake(
            "unknown state in source",
            "source: [SMTP_MAIL, SMTP_RCPT]",
            "source: [SMTP_MAIL, ▶SMTP_RECPT]",
            "SMTP_RECPT is no state",
            "SMTP_RCPT",
        ),
        mistake(
            "unknown state under all_but",
            "source: {all_but: [SMTP_SEND_STREAM, SMTP_QUIT]}",
            "source: {all_but: [▶SMTP_STREAM, SMTP_QUIT]}",
            "SMTP_STREAM is no state",
            "SMTP_SEND_STREAM",
        ),
        mistake(
            "unknown set of states",
            "private ones\n    source: greeted_rest",
            "private ones\n    source: ▶greeted_rests",
            "greeted_rests is no state",
            "greeted_rest",
        ),
        mistake(
            "unknown state that a goal names",
            "source: SMTP_QUIT}\n    without",
            "source: ▶SMTP_QUITE}\n    without",
            "state SMTP_QUITE is unknown",
            "SMTP_QUIT",
        ),
        mistake(
            "unknown variable in dest",
            "{id: other-answered, on: [success, refusal], dest: $return_to",
            "{id: other-answered, on: [success, refusal], dest: ▶$return_too",
            "dest $return_too names no variable",
            "$return_to",
        ),
        mistake(
            "unknown trigger of a row",
            "on: send_quit, dest: SMTP_QUIT, forget: all",
            "on: ▶send_quitt, dest: SMTP_QUIT, forget: all",
            "send_quitt is no trigger",
            "send_quit",
        ),
        mistake(
            "unknown trigger of a set",
            "[reply_2yz, reply_220, reply_235]\n    inter",
            "[reply_2yz, reply_220, ▶reply_253]\n    inter",
            "reply_253 is no trigger",
            "reply_235",
        ),
        mistake(
            "unknown trigger that a goal reaches",
            "reach: {trigger: close}",
            "reach: {trigger: ▶clothe}",
            "trigger clothe is unknown",
            "close",
        ),
        mistake(
            "unknown trigger that a goal is without",
            "without: [eof]",
            "without: [▶eoff]",
            "trigger eoff is unknown",
            "eof",
        ),
        mistake(
            "unknown trigger under always",
            "triggers: [timeout]",
            "triggers: [▶time_out]",
            "time_out is no trigger",
            "timeout",
        ),
        mistake(
            "unknown variable in a guard",
            "when: {greeted: none}, dest: SMTP_BANNER",
            "when: {▶greated: none}, dest: SMTP_BANNER",
            "greated is no variable",
            "greeted",
        ),
        mistake(
            "unknown variable in an effect",
            "set: {link: up, tls: yes}, rfc: 3207 §4.2",
            "set: {link: up, ▶tsl: yes}, rfc: 3207 §4.2",
            "tsl is no variable",
            "tls",
        ),
        mistake(
            "unknown variable to forget",
            "forget: [awaiting, binary]",
            "forget: [awaiting, ▶binnary]",
            "binnary is no variable",
            "binary",
        ),
        mistake(
            "unknown value in a guard",
            "when: {greeted: none}, dest: SMTP_BANNER",
            "when: {greeted: ▶nine}, dest: SMTP_BANNER",
            "nine is no value of greeted (it has none, helo, ehlo)",
            "none",
        ),
        mistake(
            "unknown value in a guard's not",
            "chunking: none, binary: no}, dest: SMTP_DATA",
            "chunking: {not: ▶began}, binary: no}, dest: SMTP_DATA",
            "began is no value of chunking (it has none, begun, failed)",
            "begun",
        ),
        mistake(
            "unknown value in an effect",
            "set: {chunking: begun}",
            "set: {chunking: ▶begum}",
            "begum is no value of chunking (it has none, begun, failed)",
            "begun",
        ),
        mistake(
            "unknown list of replies",
            "replies: RCPT,",
            "replies: ▶RCTP,",
            "replies RCTP is unknown",
            "RCPT",
        ),
        mistake(
            "unknown party",
            "connect: {by: client,",
            "connect: {by: ▶clint,",
            "by clint is unknown",
            "client",
        ),
        mistake(
            "unknown group position",
            "replies: DATA, wait: 120, group: last",
            "replies: DATA, wait: 120, group: ▶lost",
            "group lost is unknown",
            "last",
        ),
        mistake(
            "unknown culprit",
            "violation: client, note",
            "violation: ▶clients, note",
            "violation clients is unknown",
            "client",
        ),
    ],
)
def test_an_unknown_name(case: Mistake, tmp_path: Path) -> None:
    assert_refused(case, tmp_path)
