"""Conformance of SMTP servers: cases as data, an engine that emits events, reports that listen.

`cases` reads ``specs/conformance/*.yaml``; `engine` plays them, several at a time, behind a first
look at the server; `derived` plays the sequences that follow from the machine of what a server
owes; `reports` listen; `command` puts them together. Beyond the opening of a session (greeting,
EHLO, STARTTLS, AUTH) and the first look's MAIL and RCPT no module here knows in which order SMTP
commands go: a case says that, or the table.
"""
