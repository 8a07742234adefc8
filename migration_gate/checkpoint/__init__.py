"""The state at the base's heads, kept for the next check: old revisions need not run again.

policy           whether this run may use a checkpoint, and whether it may write one
surroundings     a digest of what a replay depends on beside the repository
dependencies     the files of the repository that the replay of old revisions depends on
cluster_copy     copies the files of a server that runs, and computes their digest
saved_state      a checkpoint as files: the cluster, the worker's lines, the server's log, a record
kept_base        the examination of the base, kept beside the checkpoint: it need not run again either
kept_facts       the facts of a run in which nothing was new; facts_key: what they depend on
kept_texts       what the files of the revisions say; sealed_file: how both are kept
store            the checkpoints of one project in the cache folder of the gate's user
checkpoint_run   what one run does with checkpoints: begins from one, writes one, or compares
"""
