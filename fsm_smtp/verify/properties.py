"""The verdict on each property of a table."""

from collections.abc import Iterator

from fsm_smtp.table import Table
from fsm_smtp.table.properties import Property
from fsm_smtp.verify.check import Check
from fsm_smtp.verify.explore import Graph, explore
from fsm_smtp.verify.product import Finding, Product, walk
from fsm_smtp.verify.response import unanswered

_VACUOUS = {
    "absence": "no run enters its scope",
    "permission": "no run enters its scope",
}


def check_properties(table: Table, graph: Graph) -> tuple[Product, tuple[Check, ...]]:
    """Check every property of *table*; the product that was walked comes with the verdicts."""
    product = walk(table, graph)
    return product, tuple(_checks(table, product))


def first_broken(table: Table) -> tuple[str, ...]:
    """Ids of the properties that the shortest run to any trouble breaks; none when all is well.

    Quick, and not the whole truth: what needs all runs to decide (existence, response, a vacuous
    claim) is not looked at.
    """
    product = walk(table, explore(table), until_broken=True)
    return tuple(table.properties[number].id for number in sorted(product.findings))


def _checks(table: Table, product: Product) -> Iterator[Check]:
    for number, one in enumerate(table.properties):
        finding = product.findings.get(number)
        happened = bool(product.happened >> number & 1)
        if one.pattern == "existence" and not happened:
            finding = Finding("no run has such an event", ())
        if one.pattern == "response" and happened:
            finding = unanswered(one, number, product)
        vacuous = finding is None and not happened
        yield _check(one, finding, vacuous)


def _check(one: Property, finding: Finding | None, vacuous: bool) -> Check:
    problem = finding.what if finding else None
    if vacuous:
        problem = _VACUOUS.get(one.pattern, "the event that it speaks of never happens")
    return Check(
        id=one.id,
        pattern=one.pattern,
        says=one.says,
        rfc=one.rfc,
        holds=finding is None,
        problem=problem,
        counterexample=finding.run if finding else (),
        requirements=one.requirements,
        vacuous=vacuous,
    )
