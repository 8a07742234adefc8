"""`python -m benchmarks.drift`: the whole measurement, printed."""

import sys

from benchmarks.drift.report import run_benchmark

sys.exit(run_benchmark(*sys.argv[1:]))
