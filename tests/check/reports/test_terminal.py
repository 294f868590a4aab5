"""The terminal report, which trusts no server."""

import io

from rich.console import Console

from fsm_smtp.check.engine.events import Event
from fsm_smtp.check.reports.listing import print_list
from tests.check.playing import SUITE
from tests.check.reports.running import events_of, printed


class TestTerminal:
    def test_failures_then_one_line_of_summary(self, faulty: list[Event]) -> None:
        lines = printed(faulty).splitlines()
        assert lines[-1].startswith("16 cases, ")
        assert "1 fail" in lines[-1]
        at = next(number for number, line in enumerate(lines) if line.startswith("FAIL"))
        assert lines[at] == "FAIL   5321-4.1.4-second-ehlo  RFC 5321 §4.1.4, MUST"
        assert lines[at + 1] == "  A second EHLO is answered as the first one was."
        assert lines[at + 2] == '  expected  250 to "EHLO client.example.test"'
        assert lines[at + 3] == "  got       503 again?"
        assert lines[-3].endswith(" S: 503 again?")

    def test_a_server_writes_neither_markup_nor_controls(self, faulty: list[Event]) -> None:
        for text in (printed(faulty), printed(faulty, verbose=True)):
            assert "\x1b" not in text
            assert "\x07" not in text
            assert "[bold red]loud[/] \\x1b[31mred\\x07" in text
        coloured = printed(faulty, terminal=True)
        assert "\x1b[31mred" not in coloured
        assert "[bold red]loud[/]" in coloured

    def test_the_same_reason_is_said_once(self) -> None:
        text = printed(events_of(SUITE, "shuts down at MAIL"))
        assert " cases are inconclusive for the same reason\n" in text
        assert text.count("421 mx.example.test busy") < 10
        assert "name one that is taken there, with --sender" in text

    def test_verbose_shows_the_harmless_too(self, faulty: list[Event]) -> None:
        assert "SKIP   5321-3.1-refused-session-stays-open" in printed(faulty, verbose=True)
        assert "SKIP " not in printed(faulty)

    def test_the_list_is_a_table_of_contents(self) -> None:
        out = io.StringIO()
        print_list(Console(file=out, highlight=False), SUITE)
        lines = out.getvalue().splitlines()
        first = SUITE.cases[0]
        assert lines[0] == f"RFC {first.rfc} §{first.section}  {first.title}"
        listed = [line.split()[0] for line in lines if line.startswith("  ")]
        assert listed == [case.id for case in SUITE.cases]
        sections = [line for line in lines if line.startswith("RFC ")]
        assert len(sections) == len(set(sections))
