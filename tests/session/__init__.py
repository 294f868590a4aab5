"""Tests of the gate: a session without I/O."""
