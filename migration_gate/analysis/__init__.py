"""Pure functions from facts to answers and texts, shared by the checks; drift and reports use some too."""
