"""Haraka, with two plugins of ours for addresses and delivery. Needs node."""

import json
import re
import shutil
from typing import ClassVar

from tests.servers.base import (
    DOMAIN,
    HOSTNAME,
    KNOWN,
    PASSWORD,
    SIZE_LIMIT,
    USER,
    Launch,
    Needs,
    Offers,
    Server,
)

MODULE = "npm/Haraka/node_modules/Haraka"

# Reverse DNS at each connect would cost four seconds, so the first hook answers it.
_ADDRESSES = """\
'use strict';

const known = new Set(%(known)s);

exports.hook_lookup_rdns = function (next) {
  next(OK, 'localhost');
};

// The quoted form names the same mailbox (RFC 5321 section 4.1.2); Haraka hands on what came.
function mailbox(user) {
  const bare = (_, quoted) => quoted.replace(/\\\\(.)/g, '$1');
  return (user || '').replace(/^"(.*)"$/, bare).toLowerCase();
}

exports.hook_rcpt = function (next, connection, params) {
  const user = mailbox(params[0].user);
  const host = (params[0].host || '').toLowerCase();
  if (host === %(domain)s) return known.has(user) ? next(OK) : next(DENY, 'No such user');
  if (!host && user === 'postmaster') return next(OK);
  return connection.relaying && host ? next(OK) : next(DENY, 'Relaying denied');
};
"""

# Writes aside, then moves: a reader never sees half a message.
_DELIVERY = """\
'use strict';

const fs = require('fs');
const path = require('path');

let deliveries = 0;

exports.hook_queue = function (next, connection) {
  const transaction = connection.transaction;
  transaction.message_stream.get_data((content) => {
    for (const recipient of transaction.rcpt_to) {
      const maildir = path.join(%(mbox)s, path.basename(recipient.user.toLowerCase()));
      for (const part of ['tmp', 'new']) {
        fs.mkdirSync(path.join(maildir, part), { recursive: true });
      }
      const name = String(++deliveries).padStart(6, '0');
      fs.writeFileSync(path.join(maildir, 'tmp', name), content);
      fs.renameSync(path.join(maildir, 'tmp', name), path.join(maildir, 'new', name));
    }
    next(OK, 'Delivered');
  });
};
exports.hook_queue_outbound = exports.hook_queue;
"""


class Haraka(Server):
    """Haraka. It answers 503 to what comes behind the end of data in one write."""

    name: ClassVar[str] = "haraka"
    needs: ClassVar[Needs] = Needs(fetched=(MODULE,), node=True)

    @property
    def offers(self) -> Offers:
        return Offers(
            frozenset({"PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE"}),
            starttls=True,
            tls_works=True,
            auth=frozenset({"PLAIN", "LOGIN"}),
        )

    def prepare(self) -> Launch:
        module = self.fetched / MODULE
        config = self.run / "config"
        config.mkdir()
        # Without the first of these, version 3.3.4 crashes on each connection.
        for name in ("connection", "outbound", "tls", "log"):
            shutil.copy(module / "config" / f"{name}.ini", config / f"{name}.ini")
        for name in ("queue", "mbox"):
            (self.run / name).mkdir()
        shutil.copy(self.certificate.chain, config / "tls_cert.pem")
        shutil.copy(self.certificate.key, config / "tls_key.pem")
        listen = f"listen={self.host}:{self.port}\nnodes=0\ndaemonize=false\n"
        self.write("config/smtp.ini", listen)
        self.write("config/me", f"{HOSTNAME}\n")
        self.write("config/host_list", f"{DOMAIN}\n")
        limits = (config / "connection.ini").read_text("utf-8")
        limits = re.sub(r"(?m)^bytes=.*", f"bytes={SIZE_LIMIT}", limits)
        # As shipped it folds lines above 992 octets; RFC 5321 §4.5.3.1.6 grants 1000 with CRLF.
        limits = re.sub(r"(?m)^data_line_length=.*", "data_line_length=1000", limits)
        self.write("config/connection.ini", limits)
        self.write("config/loglevel", "WARN\n")
        self.write("config/plugins", "tls\nauth/flat_file\naddresses\ndelivery\n")
        users = f"[core]\nmethods=PLAIN,LOGIN\n[users]\n{USER}={PASSWORD}\n"
        self.write("config/auth_flat_file.ini", users, 0o600)
        words = {
            "known": json.dumps(KNOWN),
            "domain": json.dumps(DOMAIN),
            "mbox": json.dumps(str(self.mailboxes)),
        }
        self.write("plugins/addresses.js", _ADDRESSES % words)
        self.write("plugins/delivery.js", _DELIVERY % words)
        return Launch(["node", str(module / "bin/haraka"), "-c", str(self.run)])
