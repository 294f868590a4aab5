"""Overlays: what they may replace, drop, add and restrict, and how their mistakes are refused."""

from pathlib import Path

import pytest

from fsm_smtp.errors import SpecError
from fsm_smtp.table import load_table
from tests.core.broken import HERE, SPECS, assert_error

HEAD = "schema: 1\nname: test\nmeans: an overlay of this test\n"


def laid(tmp_path: Path, *texts: str, expect: str, suggestion: str | None = None) -> None:
    """Laying these files over the shipped table fails at the mark, which one of them carries."""
    files = [tmp_path / f"overlay{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(HEAD + text.replace(HERE, ""), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_table(overlays=files)
    marked = next(number for number, text in enumerate(texts) if HERE in text)
    before = (HEAD + texts[marked]).partition(HERE)[0]
    at = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    what = expect.format(*files)
    assert_error(caught.value, files[marked], at, what, suggestion)


ROW = """\
transitions:
  - about: ending the session
    source: rest
    when: {link: up, awaiting: nothing}
    rows:
      - ▶{id: quit, on: send_quit, dest: SMTP_QUIT, set: {link: closing, awaiting: reply},
         rfc: 5321 §3.8}
"""
TLS = "variables:\n  ▶tls:\n    no: in clear\n    yes: under TLS\n"
REFUSAL = "sets:\n  triggers:\n    ▶refusal: [reply_4yz, reply_5yz]\n"
GOAL = """\
goals:
  - ▶{id: closed, says: closed, from: {link: up}, reach: {trigger: close}, without: [],
     rfc: 5321 §3.8}
"""
ALWAYS = """\
always:
  - ▶{id: every-wait-ends, says: waits end, when: {awaiting: reply}, triggers: [timeout],
     rfc: 5321 §3.8}
"""


def plain(text: str) -> str:
    """The overlay without its mark."""
    return text.replace(HERE, "")


def test_a_shipped_overlay_that_does_not_exist() -> None:
    with pytest.raises(SpecError) as caught:
        load_table(overlays=["require_tsl"])
    file = SPECS / "overlays" / "require_tsl.yaml"
    what = "there is no shipped overlay 'require_tsl'"
    assert_error(caught.value, file, (1, 1), what, "require_tls")


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    with pytest.raises(SpecError) as caught:
        load_table(overlays=[file])
    what = "the file cannot be read: No such file or directory"
    assert_error(caught.value, file, (1, 1), what)


def test_dropping_a_row_that_does_not_exist(tmp_path: Path) -> None:
    what = "there is no row quitt to drop"
    laid(tmp_path, "drop: [▶quitt]\n", expect=what, suggestion="quit")


def test_restricting_a_row_that_does_not_exist(tmp_path: Path) -> None:
    text = "restrict:\n  - {rows: [▶male], when: {tls: yes}, rfc: 3207 §6}\n"
    laid(tmp_path, text, expect="male is no row", suggestion="mail")


def test_restricting_a_row_that_another_overlay_has_dropped(tmp_path: Path) -> None:
    text = "restrict:\n  - {rows: [▶vrfy], when: {tls: yes}, rfc: 3207 §6}\n"
    laid(tmp_path, "drop: [vrfy]\n", text, expect="vrfy is no row", suggestion=None)


def test_restricting_no_row(tmp_path: Path) -> None:
    text = "restrict:\n  - {rows: ▶[], when: {tls: yes}, rfc: 3207 §6}\n"
    laid(tmp_path, text, expect="at least one row is needed")


def test_a_restriction_that_leaves_nothing_is_its_own_mistake(tmp_path: Path) -> None:
    text = "restrict:\n  - ▶{rows: [starttls], when: {tls: yes}, rfc: 3207 §6}\n"
    what = "row starttls can never fire: its guards on tls exclude each other"
    laid(tmp_path, text, expect=what)


def test_an_unknown_section(tmp_path: Path) -> None:
    what = "'restricted' is no key of an overlay"
    laid(tmp_path, "▶restricted: []\n", expect=what, suggestion="restrict")


def test_an_overlay_says_what_it_means(tmp_path: Path) -> None:
    file = tmp_path / "overlay.yaml"
    file.write_text("schema: 1\nname: x\nmeans: 5\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_table(overlays=[file])
    assert_error(caught.value, file, (3, 8), "means must be a string")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param(ROW, "row quit", id="row"),
        pytest.param(TLS, "entry of variables tls", id="variable"),
        pytest.param(REFUSAL, "entry of triggers refusal", id="set"),
        pytest.param(GOAL, "entry of goals closed", id="goal"),
        pytest.param(ALWAYS, "entry of always every-wait-ends", id="always"),
    ],
)
def test_two_overlays_must_not_replace_the_same_thing(text: str, what: str, tmp_path: Path) -> None:
    expect = f"{what} was already replaced by the overlay {{0}}"
    laid(tmp_path, plain(text), text, expect=expect)


def test_two_overlays_must_not_replace_and_drop_the_same_row(tmp_path: Path) -> None:
    replaced = "row quit was already replaced by the overlay {0}"
    dropped = "row quit was already dropped by the overlay {0}"
    laid(tmp_path, plain(ROW), "drop: [▶quit]\n", expect=replaced)
    laid(tmp_path, "drop: [quit]\n", ROW, expect=dropped)
    laid(tmp_path, "drop: [quit]\n", "drop: [▶quit]\n", expect=dropped)


def test_what_an_overlay_replaces_keeps_its_place_and_what_it_adds_comes_last(
    tmp_path: Path,
) -> None:
    file = tmp_path / "private.yaml"
    text = plain(ROW) + (
        "      - {id: xyzzy, on: send_xyzzy, dest: same, rfc: 5321 §4.1.5}\n"
        "triggers:\n"
        "  send_xyzzy: {by: client, verb: XYZZY, means: nothing happens, rfc: 5321 §4.1.5}\n"
    )
    text += plain(GOAL).replace("id: closed", "id: hung-up")
    file.write_text(HEAD + text, encoding="utf-8")
    base, table = load_table(), load_table(overlays=[file, "require_tls"])

    assert [row.id for row in table.rows] == [*(row.id for row in base.rows), "xyzzy"]
    assert list(table.triggers) == [*base.triggers, "send_xyzzy"]
    quit_row = next(row for row in table.rows if row.id == "quit")
    assert (quit_row.rfc, quit_row.forgets) == ("5321 §3.8", ())
    assert quit_row.place.startswith(f"{file}:")
    assert [goal.id for goal in table.goals] == [*(goal.id for goal in base.goals), "hung-up"]
    assert table.overlays == ("private", "require_tls")
    mail = next(row for row in table.rows if row.id == "mail")
    assert ("tls", ("yes",)) in mail.when
    assert [restriction.rfc for restriction in mail.restrictions] == ["3207 §6"]


def test_an_overlay_may_drop_a_row_and_write_it_anew(tmp_path: Path) -> None:
    file = tmp_path / "anew.yaml"
    file.write_text(HEAD + "drop: [quit]\n" + plain(ROW), encoding="utf-8")
    assert [row.id for row in load_table(overlays=[file]).rows][-1] == "quit"
