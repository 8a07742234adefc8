"""`python -m benchmarks.locks`: the whole measurement, printed."""

import sys

from benchmarks.locks.measurement import run_benchmark

sys.exit(run_benchmark(*sys.argv[1:]))
