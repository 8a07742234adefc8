"""Pure functions from facts to answers and texts, shared by the checks; drift and reports use some too.

coverage_proof      what a run proves: check_subjects, left_out_tables
revision_graph      ancestors, forks, circles; history_defects: the ways in which a chain is broken
origin              which revision made an object so: object_history, owner_origin, skipped_origin
step_location, revision_text, revision_bodies, executed_ddl, ddl_text       places and texts in revisions

failure_causes      why a revision failed, and failure_fixes: what to do. By kind: failure_message (its
                    names), failure_missing_objects, failure_missing_columns (column_tables),
                    failure_existing_objects, failure_types,
                    failure_dialects, failure_target; postgres_versions, extensions: what servers have;
                        extension_sources: where an extension is to be had
swallowed_errors, caught_errors     errors that nobody saw; savepoints: what went with them;
                    handlers_in_functions: what may be hidden
hidden_conflicts    statements that created nothing; description_differences, relation_names
model_statements    revisions that are built from today's models; borrowed_labels: from their labels, as text
model_registration  models that env.py does not import: model_imports, removed_models

loosened_gate_parts what lets more pass than at the base: loosened_settings, loosened_filters,
                    loosened_workflows; pattern_coverage: which glob patterns match what others do
rolled_back_files   the revisions whose downgrades are judged; refusals: which are one-way;
                    catalog_round_trip: what a downgrade left; reupgrade_causes: what that did;
                    given_names: of constraints without a name; rollback_messages: in words
rehearsal_messages  what became of rows, in words; unrehearsed_change: of no rows at all;
                    unseen_drops: of none in a table that is dropped;
                    untried_revisions: new ones of which nothing was tried

observed_changes    which observed statements are judged; blocking_works, locked_sleeps: which of them
                    block others, row_loops: in code; query_extent: with how many rows;
                    referencing_rows: of other tables, standing_parts: with which indexes;
                    alike_findings: very many alike;
                    lock_messages: in words;
                    safe_ways: written without that, by safe_operations for a safe_way_request:
                    safe_constraints, safe_indexes, safe_exclusion, safe_partitions, safe_rewrites,
                    safe_maintenance
                    (domain_rules, partition_rules, partition_works, table_copies, alter_table_actions);
                    work_extent: how much it is (sized_facts); lock_hygiene, short_locks, required_columns,
                    new_parts, disabled_triggers
running_code_messages   what the live release cannot do any more, in words: running_code_origin;
                    new_code_needs: what the new one needs
schema_pair         the schema of the live release beside the new one: removed_parts (renamed_parts),
                    stricter_schema (condition_texts), live_types
ownership           which tables have an owner; owner_windows: rules that did not hold between revisions;
                    new_tables: those of the change;
                    owner_deletions: what trials with rows mean, owner_deletion_findings
model_corrections   what to change in the sources; owner_corrections, head_corrections
drift_messages      a difference in words: difference_sides, difference_location, model_part_locations,
                    evaluated_defaults, quoted_expressions, type_width, rename_advice
storage_differences, storage_parameters, index_definitions, naming_conventions      bulk and harmless ones
drift_revision      all drift as one revision: engine_bodies, tenant_schemas; op_code: its calls
history_change      what a change does to old revisions: stale_parents, moved_revisions, reused_ids,
                    squash_texts
edited_revisions    by their SQL: sql_comparison, generated_values, revision_code, revision_inputs
raw_sql_messages, schema_change_messages, known_objects     texts about what lies beside the migrations
"""
