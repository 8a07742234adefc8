"""The service `accounts`."""
