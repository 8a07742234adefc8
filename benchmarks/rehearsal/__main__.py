"""`python -m benchmarks.rehearsal`: the whole measurement, printed."""

import sys

from benchmarks.rehearsal.measurement import run_benchmark

sys.exit(run_benchmark(*sys.argv[1:]))
