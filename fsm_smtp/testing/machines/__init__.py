"""State machines of Hypothesis that explore SMTP servers and clients, with the table as oracle.

`server` has the rules for a server, `exploring` runs them; `examiner` is one session, judged, by
`connection`; `coverage` is what was visited; `steps` finds the shortest session that shows a
`failure`.
"""
