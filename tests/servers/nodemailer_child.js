// The process behind nodemailer.py: node nodemailer_child.js CONFIG.json
'use strict';

const fs = require('fs');
const path = require('path');

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const { SMTPServer } = require(config.module);

const known = new Set(config.known.map((name) => `${name}@${config.domain}`));
known.add('postmaster'); // without a domain: RFC 5321 section 4.5.1
let deliveries = 0;

// The quoted form names the same mailbox (RFC 5321 section 4.1.2); the library hands on what came.
function mailbox(address) {
  return address.replace(/^"(.*)"@/, (_, quoted) => `${quoted.replace(/\\(.)/g, '$1')}@`).toLowerCase();
}

function refusal(code, text) {
  return Object.assign(new Error(text), { responseCode: code });
}

// Writes aside, then moves: a reader never sees half a message.
function deliver(localPart, content) {
  const maildir = path.join(config.mailboxes, localPart);
  for (const part of ['tmp', 'new']) fs.mkdirSync(path.join(maildir, part), { recursive: true });
  const name = String(++deliveries).padStart(6, '0');
  fs.writeFileSync(path.join(maildir, 'tmp', name), content);
  fs.renameSync(path.join(maildir, 'tmp', name), path.join(maildir, 'new', name));
}

const server = new SMTPServer({
  name: config.hostname,
  cert: fs.readFileSync(config.chain),
  key: fs.readFileSync(config.key),
  size: config.size,
  authMethods: ['PLAIN', 'LOGIN'],
  authOptional: !config.authRequired,
  allowInsecureAuth: true,
  disableReverseLookup: true,
  logger: false,

  onAuth(auth, session, callback) {
    if (auth.username === config.user && auth.password === config.password) {
      return callback(null, { user: auth.username });
    }
    return callback(refusal(535, 'Invalid credentials'));
  },

  onRcptTo(recipient, session, callback) {
    if (session.user || known.has(mailbox(recipient.address))) return callback();
    return callback(refusal(550, 'No such user'));
  },

  onData(stream, session, callback) {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      if (stream.sizeExceeded) return callback(refusal(552, 'Message too large'));
      const content = Buffer.concat(parts);
      for (const recipient of session.envelope.rcptTo) {
        deliver(path.basename(mailbox(recipient.address).split('@')[0]), content);
      }
      return callback(null, 'Delivered');
    });
  },
});

server.on('error', (error) => {
  console.error(error.message);
  if (error.syscall === 'listen') process.exit(1);
});
server.listen(config.port, config.host);
process.on('SIGTERM', () => process.exit(0));
