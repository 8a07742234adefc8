"""Migration Gate."""
