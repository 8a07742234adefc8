"""The revision that removes a difference, as code for its two functions. `fixes` is where it starts.

A *part* is a constraint or an index of a table.

    autofix_state       the database before and after: what the lines depend on
    table_fixes, column_fixes, constraint_and_index_fixes, sequence_fixes, enum_fixes, named_type_fixes,
    comment_fixes, rename_fixes, view_fixes     one module for each kind of object
    table_creation, constraint_creation, index_creation, missing_schemas, column_add_and_drop,
    part_add_and_drop   what is created and dropped
    default_fixes       where a column's value comes from; conversions: what follows USING
    enum_labels, enum_replacement, enum_with_column     labels that change, the type with them
    generated_columns, key_types, view_warnings         what stands in the way of a column's change

    alembic_renderer    the lines, by Alembic's own renderer: sqlalchemy_columns, sqlalchemy_types
    execute_call        `op.execute(…)`, for what Alembic has no operation for; ddl_clauses: its SQL
"""
