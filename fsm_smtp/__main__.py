"""``python -m fsm_smtp``: the program ``fsm-smtp``."""

from fsm_smtp.cli import main

main()
