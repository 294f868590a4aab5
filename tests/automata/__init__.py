"""Mealy machines and derived suites."""
