"""Real projects as changes: their newest revisions are the change, everything before is the base."""
