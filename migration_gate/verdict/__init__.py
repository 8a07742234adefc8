"""Findings become verdicts: with a check, a severity, and the allowance if the user accepts them.

judge               from findings to verdicts; outcome: what they are, and the report of all projects
allow               what the configuration and comments allow; comment_files reads these
unused_allow, stale_baseline    checks of the judge's own; database_reports: one project, several databases;
                    server_reports: several servers; repeated_findings: several projects
novelty             which findings are new, or worse than at the base of the change; baseline: than in a file
new_comments        which comments came with the change; own_level: who judges that the gate was loosened
place_in_change     of the true places of a finding, the one in the change
check_coverage      what each check looked at; lowered_checks: which are off, or less severe than by default
installed_package   findings in files that nobody here edits
"""
