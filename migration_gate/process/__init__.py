"""The gate's own process.

process_limits    open files and size of files: raised if they are too low for a run
interruption      signals that end a run: as an exception, so that all is removed
"""
