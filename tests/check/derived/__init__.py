"""Derived tests: played on machines, on servers with faults, on real servers."""
