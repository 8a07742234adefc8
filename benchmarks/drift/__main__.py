"""`python -m benchmarks.drift`."""

import sys

from benchmarks.drift.run import main

sys.exit(main(*sys.argv[1:]))
