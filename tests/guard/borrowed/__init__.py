"""Other projects' own test suites, run with the guard inside."""
