"""Exact edits of source files: from the positions of the syntax tree, checked by parsing the result.

suggested_edits     from what should be changed to the lines that do it, if that can be done exactly
source_text         a file's text, its syntax tree, and the lines in which two texts differ
argument_edits      arguments of a call: edited_calls (which call), sqlalchemy_names (what a file calls
                    SQLAlchemy's functions); annotated_columns: columns without a call
module_edits        the string of a variable; imports
revision_header     the parent of a revision, and the line that names it
allowance_entries   an entry of `allow:` in a configuration file, which stays as it is else
file_edits          whole files with their edits, and as a diff; corrected_file: all corrections of one
"""
