"""Conformance of SMTP servers: cases as data, an engine that emits events, reporters that listen.

From data to verdict: `suite` loads ``specs/conformance/*.yaml`` into the dataclasses of `case`;
`survey` takes the first look; `runner` plays the cases, several at a time, and emits the events of
`events`; `player` plays one case, its `script` the steps, each session on a `connection` behind the
opening that `session` makes; `judge` gives the verdicts, `policy` and `presence` know what masks
them; `terminal` and `report` listen; `command` puts them together. Beyond that opening (greeting,
EHLO, STARTTLS, AUTH) and the survey's MAIL and RCPT no module here knows in which order SMTP
commands go: a case says that.
"""
