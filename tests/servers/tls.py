"""The test authority and the servers' certificate, made anew for each test session."""

from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("mx.example.test", "localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificate:
    """PEM files. `authority` is what a client must trust to verify `chain`."""

    authority: Path
    chain: Path
    key: Path


def issue(folder: Path) -> Certificate:
    """Make an authority, and a certificate from it for `NAMES`; write them into `folder`."""
    authority = trustme.CA()
    leaf = authority.issue_cert(*NAMES, common_name=NAMES[0])
    made = Certificate(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(made.authority))
    leaf.private_key_pem.write_to_path(str(made.key))
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(str(made.chain), append=True)
    # Each server copies the key and gives the copy to its own user.
    made.key.chmod(0o600)
    for public in (made.authority, made.chain):
        public.chmod(0o644)
    return made
