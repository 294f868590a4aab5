"""What `check` says of the real servers: `python -m tests.judged [NAME…]`.

`ways` says which servers are judged, how they are set and how they are approached.
"""
