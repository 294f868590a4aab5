"""Reads the section ``server`` of a table: it must be complete and agree with the client's rows."""

from fsm_smtp.table.model import Table
from fsm_smtp.table.sections import SERVER
from fsm_smtp.table.server_agreement import check_agreement
from fsm_smtp.table.server_consistency import check_server
from fsm_smtp.table.server_model import Server
from fsm_smtp.table.server_section import read_server
from fsm_smtp.yaml_source import Block, Node


def unread(block: Block | None, table: Table) -> Server | None:
    """What a server owes, by the section in *block*; ``None`` when there is none.

    Raises:
        SpecError: the section has a mistake, or contradicts the client's rows.
    """
    return None if block is None else checked_server(block.value(SERVER), table)


def checked_server(node: Node, table: Table) -> Server:
    """What a server owes, by the section at *node*; raises as `unread` does."""
    server = read_server(node, table)
    owed = check_server(server)
    if not table.overlays:  # an overlay binds the client alone
        check_agreement(table, server, owed)
    return server
