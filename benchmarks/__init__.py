"""Measurements against rivals, in one run."""
