"""Tests of the core: the table, its loader, the machine, the refusals, the verifier."""
