"""Kills the parts of runs at random moments, and looks at what comes of it."""
