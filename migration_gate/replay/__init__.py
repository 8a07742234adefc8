"""One project, from its settings to its facts."""
