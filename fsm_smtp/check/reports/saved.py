"""A JSON report read back, for a baseline or a comparison; schema 1, nothing is guessed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fsm_smtp.check.cases.case import Verdict

#: Of the JSON report, as it is written and as it is read.
SCHEMA = 1


class UnreadableReport(ValueError):
    """The file is no report that can be used; the message is one line and names it."""


@dataclass(frozen=True, slots=True)
class SavedCase:
    """A case of a saved report; the texts are as the report has them."""

    id: str
    rfc: str
    section: str
    level: str
    requirement: str
    verdict: Verdict
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class SavedReport:
    """A saved report.

    Attributes:
        file: where it was read from.
        target: the server that it is about.
        version: of the checker.
        started: as the report has it.
        greeting: what the server said first.
        cases: in the order of the report.
    """

    file: str
    target: str
    version: str
    started: str
    greeting: str
    cases: tuple[SavedCase, ...]


def read_report(file: str | Path) -> SavedReport:
    """Read the JSON report *file*.

    Raises:
        UnreadableReport: it cannot be read, is no JSON, no report, or one of another schema.
    """
    try:
        document: object = json.loads(Path(file).read_bytes())
    except OSError as error:
        raise _unreadable(file, (error.strerror or str(error)).lower()) from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, f"this is no JSON report: {error}") from error
    if not isinstance(document, dict) or "schema" not in document:
        raise _unreadable(file, "this is no report of fsm-smtp check: it has no schema")
    fields = cast("dict[str, object]", document)
    schema = fields["schema"]
    if schema != SCHEMA or isinstance(schema, bool):
        other = json.dumps(schema)[:40]
        raise _unreadable(file, f"a report of schema {other}; this version reads schema {SCHEMA}")
    reader = _Reader(file)
    server = reader.table(fields, "server")
    cases = tuple(reader.case(case) for case in reader.list(fields, "cases"))
    if len({case.id for case in cases}) != len(cases):
        raise _unreadable(file, "a case stands twice in it")
    return SavedReport(
        file=str(file),
        target=reader.text(fields, "target"),
        version=reader.text(fields, "version"),
        started=reader.text(fields, "started"),
        greeting=reader.text(server, "greeting"),
        cases=cases,
    )


def _unreadable(file: str | Path, why: str) -> UnreadableReport:
    return UnreadableReport(f"{str(file)!r}: {' '.join(why.split())}")


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str | Path

    def case(self, value: object) -> SavedCase:
        if not isinstance(value, dict):
            raise self._wrong("cases")
        case = cast("dict[str, object]", value)
        verdict = self.text(case, "verdict")
        if verdict not in tuple(Verdict):
            raise _unreadable(self.file, f"there is no verdict {verdict[:40]!r}")
        names = ("id", "rfc", "section", "level", "requirement", "expected", "actual")
        texts: dict[str, Any] = {name: self.text(case, name) for name in names}
        return SavedCase(**texts, verdict=Verdict(verdict))

    def text(self, fields: Mapping[str, object], key: str) -> str:
        value = fields.get(key)
        if not isinstance(value, str):
            raise self._wrong(key)
        return value

    def table(self, fields: Mapping[str, object], key: str) -> Mapping[str, object]:
        value = fields.get(key)
        if not isinstance(value, dict):
            raise self._wrong(key)
        return cast("dict[str, object]", value)

    def list(self, fields: Mapping[str, object], key: str) -> list[object]:
        value = fields.get(key)
        if not isinstance(value, list):
            raise self._wrong(key)
        return cast("list[object]", value)

    def _wrong(self, key: str) -> UnreadableReport:
        return _unreadable(self.file, f"{key!r} is missing there, or is not what a report has")
