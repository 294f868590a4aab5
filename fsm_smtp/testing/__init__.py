"""The test kit: what tests of SMTP servers and clients need."""
