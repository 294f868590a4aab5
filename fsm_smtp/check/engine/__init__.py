"""Plays cases against a server and emits events; it prints nothing.

`runner` plays a suite, several cases at a time, behind the first look of `survey`; `player` plays
one case, `script` its steps, on one `connection` or several; `judge` makes verdicts of outcomes.
"""
