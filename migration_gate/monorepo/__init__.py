"""Several projects: which of them a change touches, and one verdict of several runs.

commands            `projects` and `join`
selection           the projects, all or those that a change touches: watched_files, path_dependencies
join_reports        one verdict from several JSON reports; rebuilt_project: one of them, read again
"""
