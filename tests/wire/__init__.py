"""Tests of the wire: octets in, octets out, no state."""
