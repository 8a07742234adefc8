"""The revision that removes a difference, as code for its two functions. `fixes` is where it starts.

One module writes the fixes for one kind of object; `column_fixes` has one function for each property of a
column.
"""
