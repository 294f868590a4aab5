"""The long runs of `make exam`: each writes a dated page under docs/."""
