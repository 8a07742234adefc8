"""What the CI says of a run: its event, whose code may run, and what the change is compared with."""
