"""Tests of the mutants and of what becomes of them."""
