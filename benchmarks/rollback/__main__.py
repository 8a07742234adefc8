"""`python -m benchmarks.rollback`: the whole measurement, printed."""

import sys

from benchmarks.rollback.measurement import run_benchmark

sys.exit(run_benchmark(*sys.argv[1:]))
