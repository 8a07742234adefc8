"""Ways to an empty pass: projects on which a gate could say "clean" without having looked at what matters.

Each module holds the ways of one area in `WAYS`; `test_empty_passes.py` runs them all. To add one, write an
`EmptyPass` (`tests/support/empty_pass.py`) in the module of its area, or in a new module with a `WAYS`.
"""
