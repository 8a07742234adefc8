"""The commands that write into a project: each shows what it writes; `baseline` and `sizes` write unasked.

correction_commands their options; nothing else is loaded for `--help`
fix_command         what corrects the findings; planned_fixes: which edits and revisions
rebase              new revisions on top of the base's head; merge_revision: or joined with it
revision_name       what the file of a new revision is called
new_allowance       an allowance of one finding
baseline_command    the findings of today, for where no base can be had
sizes_command       the sizes of a live database's tables
file_replacement    gives files new content: all of them or none
"""
