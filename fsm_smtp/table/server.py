"""Adds the section ``server`` to a table, once it is complete and agrees with the client's rows."""

from dataclasses import replace

from fsm_smtp.table.model import Table
from fsm_smtp.table.server_agreement import check_agreement
from fsm_smtp.table.server_consistency import check_server
from fsm_smtp.table.server_section import read_server
from fsm_smtp.yaml_source import Node


def with_server(table: Table, node: Node | None) -> Table:
    """The table with the section at *node*; the table itself when there is none.

    Raises:
        SpecError: the section has a mistake, or contradicts the client's rows.
    """
    if node is None:
        return table
    server = read_server(node, table)
    owed = check_server(server)
    if not table.overlays:  # an overlay binds the client alone
        check_agreement(table, server, owed)
    return replace(table, server=server)
