"""The model server: strict and faithful, for tests of clients, and with single faults to order.

Each area of the protocol is a class in a file of its own, each built on the one before:

    wire           octets in and out, TLS
    conversation   state, lines, replies
    order          what may follow what, as the table's section `server` says
    hello          the greeting, EHLO, HELO, what is offered
    parameters     those of MAIL and RCPT
    envelope       MAIL, RCPT
    data           DATA, the end of data, delivery
    chunking       BDAT
    auth           AUTH
    tls            STARTTLS
    asking         RSET, NOOP, QUIT, VRFY, EXPN, HELP, ETRN
    lmtp           LHLO, and a reply for each recipient, where that is spoken
    session        the loop that reads commands and hands them on
    listening      a free port, in an event loop or in a thread
    memory         no port and no loop: octets in, octets out
    options        what is offered, who is known, where the limits are
    watch          what the client does wrong; `lines`: by itself, wherever it stands
    deviations     orders by command and recipient: refuse, lie, drop, delay, split
    record         what the server remembers for a test
    certificate    a certificate for loopback (needs trustme)

Every decision is a small method, so that a fault (package `faults`) is the change of one of them.
"""
