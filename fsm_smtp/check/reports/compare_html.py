"""A comparison as one HTML page, with every case; ``#verdict=differs`` filters."""

from fsm_smtp.check.cases.case import Verdict
from fsm_smtp.check.reports.compare import NOT_PLAYED, Comparison
from fsm_smtp.check.reports.page import octets, render_page


def comparison_html(comparison: Comparison) -> str:
    """The page."""
    found = {verdict for row in comparison.rows for verdict in row.verdicts if verdict}
    return render_page(
        "compare.html.j2",
        comparison=comparison,
        columns=[
            (label, report, octets(report.greeting.split("\n", 1)[0]), comparison.counts(number))
            for number, (label, report) in enumerate(
                zip(comparison.labels, comparison.reports, strict=True)
            )
        ],
        rows=comparison.rows,
        differing=len(comparison.differing),
        verdicts=[verdict.value for verdict in Verdict if verdict.value in found],
        all_verdicts=[verdict.value for verdict in Verdict],
        rfcs=sorted({row.case.rfc for row in comparison.rows}),
        not_played=NOT_PLAYED,
    )
