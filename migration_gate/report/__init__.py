"""The report: one `render(report) -> str` a format, and where it is written.

deliver             writes it to standard output and to files; formats: which module renders which format

text_report         for a terminal: finding_text, similar_verdicts (many alike), closing_table, text_layout
change_table        the revisions of a change as one table: change_table_text, change_table_markdown;
                    lock_timeline: one transaction's locks as a picture
concise, github_log, error_text     other texts: a line a finding, GitHub's runner, a run that stopped;
                    broken_run: one that our own bug stopped, on GitHub
summary, comment    Markdown: finding_markdown, problem_markdown; diagrams: history_diagram, table_diagram,
                    mermaid
json_report         for programs; json_document: its fields, for the schema; json_drift: differences
sarif, junit, codequality, annotations      for code scanning, for CI systems, for the lines of a change

verdict_selection   which verdicts are shown, in which order
phrases             sentences about a run; trial_phrases: what was tried of single revisions;
                    loosened_phrases, base_phrases: about the change
anchor, check_page, allow_entry     of a finding: its file and identity, its documentation, what allows it
edit_diff           lines that correct a finding, as a diff; suggestion: as a review comment
markdown, printable_text, workflow_commands     keep hostile text harmless: pages, terminals, runners
"""
