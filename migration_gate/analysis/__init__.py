"""Pure readings of the facts that checks share."""
