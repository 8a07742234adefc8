"""The repository as text: .sql files, and DDL outside the migrations."""
