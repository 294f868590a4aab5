"""Reports of a check: each is made from the one `record`, and none knows another.

`record` listens to the run; `gate` says which verdicts fail it; `json`, `junit`, `html` and
`terminal` show it; `saved` reads the JSON report back, for `gate` (a baseline) and `compare`;
`trace` finds the client's state beside each line of a transcript; `files` writes.
"""
