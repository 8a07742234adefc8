"""How much drift each comparison sees."""
