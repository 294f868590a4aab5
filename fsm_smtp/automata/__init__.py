"""Mealy machines and the tests that are derived from them: algorithms only, nothing of SMTP.

A deterministic, complete, minimal machine of n states yields a finite suite that every machine of
at most m states either passes because it is equivalent, or fails: the W-method (T. S. Chow,
"Testing software design modeled by finite-state machines", IEEE Trans. Software Eng. 4(3), 1978)
and, with fewer sequences and the same guarantee, the Wp-method (S. Fujiwara et al., "Test
selection based on finite state models", IEEE Trans. Software Eng. 17(6), 1991).

`mealy` is the machine; `equivalence` minimises and compares; `cover` reaches states and
transitions; `separation` tells states apart; `suite` puts the sequences together in a prefix
`tree`; `shrink` and `culprit` explain a sequence that failed.
"""
