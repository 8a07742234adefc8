"""The `git` program, and what it says of a repository.

tracked_files      the files that are tracked
file_versions      the contents of files at a commit
tree_export        writes the tree of a commit into a folder
git_command        one command: as the repository's owner, with a limit of time
git_environment    variables and settings which keep a repository's configuration from running programs
"""
