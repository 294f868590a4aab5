"""Conformance of SMTP servers: cases as data, an engine that emits events, reporters that listen.

From data to verdict: `suite` loads ``specs/conformance/*.yaml`` into the dataclasses of `case`;
`runner` plays the cases, several at a time, and emits the events of `events`; `player` plays one
case on one `connection`, behind the opening that `session` makes; `terminal` and `report` listen;
`command` puts them together. Beyond that opening (greeting, EHLO, STARTTLS, AUTH) no module here
knows in which order SMTP commands go: a case says that.
"""
