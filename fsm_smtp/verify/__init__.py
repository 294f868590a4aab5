"""Verification: every reachable configuration visited, every claim about the table checked."""

from fsm_smtp.verify.check import Check
from fsm_smtp.verify.checks import Verification, verify
from fsm_smtp.verify.properties import first_broken

__all__ = ["Check", "Verification", "first_broken", "verify"]
