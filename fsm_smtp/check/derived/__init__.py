"""Tests of a server that are derived from a machine of what it owes, with a stated guarantee.

`calibration` finds out what the server has chosen where the RFCs leave it a choice; `reference`
is the machine of these choices, minimal, and the suite that follows from it; `playing` plays a
sequence on a connection and says where it left the machine; `examination` plays the suite;
`diagnosis` turns a sequence that failed into the shortest one and the transition at fault;
`findings` words it as a result like a case's; `run` puts them together and emits the events of
`events`. What an SMTP server owes stands in the table alone.
"""
