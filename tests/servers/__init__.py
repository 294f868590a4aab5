"""Real SMTP servers, run side by side on loopback for the tests.

Each module starts one server from a private folder, as the tests' own process group: nothing is
installed, nothing listens beyond 127.0.0.1, nothing stays behind. `.ci/fetch-servers` fetches what
they need; a test that wants a server which is not here is skipped with the reason.

All servers share one little world: domain example.test with the recipients rcpt, rcpt2 and
postmaster, everybody else refused; user ``user`` with password ``secret``; host mx.example.test
with a certificate for that name, localhost and 127.0.0.1 from the test authority.

Start reading at `base` (what a server is), then `fixtures` (how a test gets one).
"""
