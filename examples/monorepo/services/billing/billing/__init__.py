"""The service `billing`."""
