"""Certificates, as the clients' tests have them."""

from tests.client.conftest import tls

__all__ = ["tls"]
