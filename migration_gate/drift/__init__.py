"""Differences between the replayed database and the models. `model_comparison` is where it starts.

A *part* is a constraint or an index of a table.

    comparison_scope    what is compared; object_filter, type_use: what is left out
    object_pairs        tables and other objects of both sides, paired by name
    table_differences, column_differences, sequence_differences, enum_differences, named_type_differences,
    view_model_differences, unmanaged_differences (what models cannot express)
                        one function for each property; a column's surroundings: column_types,
                        column_sequences, column_dependence
    constraint_and_index_differences    parts, paired by part_matching; equal_parts, uniqueness,
                        unique_part_differences: what does the same; default_names: names that Postgres gave
    declared_differences, alembic_differences   what the project's own comparison, and Alembic's, find
    server_differences  what differs between two majors; changed_objects: between any two databases
    squash_proof        what a squash of old revisions leaves otherwise

    normalize           which spellings mean the same: casts, type_names, literal_defaults
    frozen_defaults, type_changes       what a default or a type does that nobody meant
    rename_hints        what may be there under another name: likeness, rename_likeness (of columns),
                        table_likeness, renamed_enums, table_behind_view; spelled_renames: what spells such
                        a name
    harmless_differences    no query notices them
    difference          a difference with its objects; difference_text: in SQL's words
    difference_origin   which revision made it
    fix_order           the order in which one revision can fix all of them
"""
