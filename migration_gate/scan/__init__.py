"""The repository as text: .sql files, and DDL outside the migrations. Nothing is imported or run.

repository          where it starts; source_files, migration_files, file_content: what is read
sql_files           tracked `.sql` files; sql_classifier: what their statements do
python_ddl          code that changes a schema (code_change): python_ddl_calls, create_all_calls,
                    python_sql_strings, ddl_events; shell_ddl: in scripts and workflow files
statement_words     the words of a statement: created_objects, changed_relations, op_suggestion
model_classes       mapped classes and Tables: model_parts, model_metadata, table_names
module_index        the repository's modules by name; name_uses: where a table or column is named
python_module       one parsed module: python_syntax, python_strings, text_evaluation
revision_files      the revisions as text: revision_calls, revision_history, revision_references,
                    downgrade_text, unnamed_calls
production_postgres     which Postgres production has, and which extensions the project creates
gate_runs           where CI runs the gate: github_workflows, gitlab_jobs, workflow_values
other_environments  further Alembic environments; other_dialects: code for another database
"""
