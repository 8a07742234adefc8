"""What the CI says of a run.

event               which event of which CI started it
base_revision       what the change is compared with; changed_lines: which lines it changes
known_revisions     files of the change whose revisions stand at the base: reworded, or edited
clone_history       the commits that are at hand, and those that can be fetched
untrusted_code      whose code may run
"""
