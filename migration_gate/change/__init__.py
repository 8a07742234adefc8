"""The change against its base: the project is examined a second time, as it is at the base of the change.

base_examination    starts that examination beside the first, in a process of its own, and ends it
base_process        what this process does; base_settings: which settings it has
gate_file_reading   what both sides say about the gate: its settings, and its runs in CI
"""
