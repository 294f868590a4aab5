"""A table of one page, for questions that the shipped table is too big or too sound to ask."""

SMALL = """\
schema: 1
name: small
rfcs:
  5321: Simple Mail Transfer Protocol
states:
  SMTP_NONE: {value: 0, means: no connection}
  SMTP_BANNER: {value: 1, means: connected}
variables:
  link:
    down: there is no connection
    up: the connection is open
triggers:
  connect: {by: client, means: connect, rfc: 5321 §3.1}
  close: {by: client, means: close, rfc: 5321 §4.1.1.10}
  reply: {by: server, means: a reply, digit: 2, rfc: 5321 §4.2}
sets:
  triggers: {}
  states: {}
  variables: {}
transitions:
  - about: no connection
    source: SMTP_NONE
    rows:
      - {id: connect, on: connect, dest: SMTP_BANNER, set: {link: up}, rfc: 5321 §3.1}
  - about: a connection
    source: SMTP_BANNER
    rows:
      - {id: close, on: close, dest: SMTP_NONE, forget: all, rfc: 5321 §4.1.1.10}
      - {id: reply, on: reply, dest: same, rfc: 5321 §4.2}
goals:
  - id: closed
    says: every connection can be closed
    from: {link: up}
    reach: {trigger: close}
    without: []
    rfc: 5321 §3.8
always:
  - id: answered
    says: a reply is judged
    when: {link: up}
    triggers: [reply]
    rfc: 5321 §4.2
replies: {}
"""
