"""Cases as data: ``specs/conformance/*.yaml`` as dataclasses; every mistake has its place."""
