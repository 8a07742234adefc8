"""The change against its base: the project is examined a second time, as it is at the base of the change.

base_examination    has the base examined beside the change, as cheaply as the change allows
kept_examination    what the run does with one that an earlier run has kept
earlier_replay      what the replay of the change shows of the base
base_process        a process for the base's own models, or its own replay; base_messages: what it is told
base_models         the base with the replay of the change; base_settings: with which settings
earlier_files       where the revisions that the change edits are at the base
base_policy         `policy: base`: whose settings judge
gate_file_reading   what both sides say about the gate: its settings, and its runs in CI
revision_dependencies   what old revisions use beside their own text
revision_comparison     what git tells of the revisions of the base, and of the branch where it is now
"""
