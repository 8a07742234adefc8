"""Differences between the replayed database and the models. `model_comparison` is where it starts.

One module finds the differences of one kind of object; `column_differences` has one function for each
property of a column. `comparison_scope` decides what is compared, `normalize` which spellings mean the same,
`harmless_differences` and `rename_hints` add what a reader needs to know, and `fix_order` sorts the
differences for the revision that removes them.
"""
