"""Our client in the place of another, beside that other."""
