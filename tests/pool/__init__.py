"""Pools: bookkeeping, borrowing, and what servers do to connections at rest."""
