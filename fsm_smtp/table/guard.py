"""What a guard is, as data."""

#: Each variable and the values it may have.
Guard = tuple[tuple[str, tuple[str, ...]], ...]
