"""What `check` says of the real servers, with a reason for every verdict that is not well.

`ways` says which servers are judged and how they are set; `docs/servers.yaml` holds the reasons,
written by hand; `page` makes docs/servers.md from both and from a run. The test asks that no
failure and no warning goes unexplained, and that no reason has outlived its failure.
"""
