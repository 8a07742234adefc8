"""The catalog of a database: one `.sql` file for each noun.

snapshot_reader     turns the rows into facts
catalog_rows        the rows, read again where a relation has changed since
table_statistics    sizes of a live database's tables
cast_reader         the casts that a server knows
dependent_objects   views, triggers and policies that use a column
ownerless_rows      whether Postgres accepts a row without an owner; table_copy, check_expressions
comparable_catalog  a catalog as a set of objects, without what is new whenever an object is made
ownership_trials    what becomes of rows without their owner: owned_rows; deletion_trials: by its deletion;
                    trial_statements: run with errors allowed
statement_trials    statements of the base's models on the change's schema: mapped_statements,
                    relation_shapes; insert_trial, value_trial (earlier_values), default_trial, and what
                    came of them: tried_table
generated_rows      fills all tables for a rehearsal: table_order, row_parents, candidate_values, row_values,
                    unusual_values, varied_texts; row_sequences: behind the ids of rows
row_losses          what a revision did to these rows: row_state, row_pairs, kept_values, moved_values,
                    nested_rows; broken_rules: which rules they break
single_rows         makes rows whose values are partly given: trial_row, needed_values, checked_values,
                    planned_keys
row_source          what puts rows into tables: simple_rows, simple_values, old_shape; full_rows: unusual
                    ones, too, that fit old_rules and old_partitions
stored_rows         rows as they were read; row_survival: what became of them after a rollback
"""
