"""Several projects: which of them a change touches, and one verdict of several runs."""
