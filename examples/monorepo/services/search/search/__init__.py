"""The service `search`."""
