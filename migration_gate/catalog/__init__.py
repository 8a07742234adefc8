"""The catalog of a database: one `.sql` file for each noun; `snapshot_reader` turns the rows into facts."""
