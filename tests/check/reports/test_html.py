"""The HTML page: what it says, what it does not believe, and what it does in a browser."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fsm_smtp.check.engine.events import Event
from fsm_smtp.check.reports.gate import Gate
from fsm_smtp.check.reports.html import html_report
from tests.check.reports.chromium import look
from tests.check.reports.evil import UNSEEN, evil_events
from tests.check.reports.running import recorded

FAILED = "5321-4.1.4-second-ehlo"


class Page(HTMLParser):
    """Every element of a page with its attributes, and the text outside style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside: str = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.text += f" {data}"

    def cases(self) -> dict[str, dict[str, str | None]]:
        return {
            str(found["id"]): found
            for tag, found in self.elements
            if tag == "details" and (found.get("class") or "").startswith("case")
        }


@pytest.fixture(scope="module")
def page(faulty: list[Event]) -> str:
    return html_report(recorded(faulty), Gate())


@pytest.fixture(scope="module")
def evil() -> str:
    return html_report(recorded(evil_events()), Gate())


class TestContent:
    def test_every_case_is_there_and_the_failure_open(self, page: str) -> None:
        cases = Page(page).cases()
        assert len(cases) == 16
        assert [name for name, found in cases.items() if "open" in found] == [FAILED]
        assert cases[FAILED]["data-verdict"] == "fail"
        assert cases[FAILED]["data-rfc"] == "5321"

    def test_a_case_says_what_and_why(self, page: str) -> None:
        text = " ".join(Page(page).text.split())
        assert "A second EHLO is answered as the first one was." in text
        assert 'expected 250 to "EHLO client.example.test" got 503 again?' in text
        assert "RFC 5321 §4.1.4 , MUST (R090)" in text
        links = {found.get("href") for tag, found in Page(page).elements if tag == "a"}
        assert "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.4" in links

    def test_the_state_stands_beside_each_line(self, page: str) -> None:
        own = page.split(f'id="{FAILED}"')[1].split("</details>", maxsplit=1)[0]
        states = re.findall(r'<td class="state">(\w*)</td>', own)
        assert states[0] == "SMTP_BANNER"
        assert states[-2:] == ["SMTP_EHLO", "SMTP_CONNECTED"]

    def test_the_picture_shows_where(self, page: str) -> None:
        own = page.split(f'id="{FAILED}"')[1].split("</details>", maxsplit=1)[0]
        assert '<use class="lit" href="#e-SMTP_CONNECTED-SMTP_EHLO"/>' in own
        assert '<use class="end" href="#n-SMTP_CONNECTED"/>' in own
        drawn = set(re.findall(r'href="#([en]-[^"]*)"', page))
        defined = set(re.findall(r'<g id="([en]-[^"]*)"', page))
        assert drawn <= defined

    def test_what_was_refused_on_purpose_is_marked(self, page: str) -> None:
        own = page.split('id="5321-4.1.4-mail-before-ehlo"')[1].split("</details>", maxsplit=1)[0]
        assert "not legal here, sent on purpose: " in own
        assert 'class="end odd" href="#n-SMTP_BANNER"' in own

    def test_nothing_is_loaded(self, page: str) -> None:
        for tag, found in Page(page).elements:
            assert tag not in ("link", "img", "iframe", "object", "embed", "base", "image")
            assert not found.keys() & {"src", "srcset", "data", "action", "style", "background"}
            assert not [name for name in found if name.startswith("on")]
            if tag == "use":
                assert str(found["href"]).startswith("#")
        assert "url(" not in page
        assert "@import" not in page
        assert "default-src 'none'" in page


class TestTrust:
    def test_a_server_adds_no_element(self, evil: str) -> None:
        elements = Page(evil).elements
        assert [tag for tag, _ in elements].count("script") == 1
        assert not [tag for tag, _ in elements if tag == "img"]
        assert "document.title='owned'" not in Page(evil).scripts[0]
        assert "{{7*7}}" in evil
        assert "&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;" in evil

    def test_nothing_unseen_is_left(self, evil: str) -> None:
        for number in (*range(0x20), *range(0x7F, 0xA0), *map(ord, UNSEEN)):
            if chr(number) not in "\n\tgpj.exe":
                assert chr(number) not in evil, hex(number)
        assert "\\u202egpj.exe\\u2066" in evil


class TestBrowser:
    def test_it_is_whole_and_quiet(self, page: str, tmp_path: Path) -> None:
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        seen = look(tmp_path / "page.html", "", tmp_path / "profile")
        assert seen.console == ()
        assert "16 of 16 cases shown" in seen.dom
        assert '<form class="filter">' in seen.dom  # it is hidden where no script runs

    def test_the_filter_and_the_search(self, page: str, tmp_path: Path) -> None:
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        for fragment, shown in (
            ("verdict=fail", {FAILED}),
            ("verdict=fail&rfc=9999", {FAILED}),  # no such RFC here: not asked for
            ("q=second+ehlo+503+again", {FAILED}),
            ("q=no-such-words", set[str]()),
        ):
            seen = look(tmp_path / "page.html", fragment, tmp_path / "profile")
            cases = Page(seen.dom).cases()
            assert {name for name, one in cases.items() if "hidden" not in one} == shown
            assert seen.console == ()

    def test_a_link_to_a_case_opens_it(self, page: str, tmp_path: Path) -> None:
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        name = "5321-4.1.4-noop-before-ehlo"
        seen = look(tmp_path / "page.html", name, tmp_path / "profile")
        cases = Page(seen.dom).cases()
        assert "open" in cases[name]
        assert not [one for one in cases.values() if "hidden" in one]

    def test_nothing_of_the_server_runs(self, evil: str, tmp_path: Path) -> None:
        (tmp_path / "evil.html").write_text(evil, encoding="utf-8")
        seen = look(tmp_path / "evil.html", "verdict=fail", tmp_path / "profile")
        assert seen.console == ()
        assert "<title>owned" not in seen.dom
        assert "1 of 9 cases shown" in seen.dom


def test_the_template_is_in_the_package() -> None:
    folder = Path(str(sys.modules["fsm_smtp.check.reports.html"].__file__)).parent / "templates"
    assert {"report.html.j2", "page.html.j2", "page.css", "page.js", "states.svg"} <= {
        path.name for path in folder.iterdir()
    }
