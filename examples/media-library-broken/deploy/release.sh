#!/bin/sh
set -e
alembic upgrade heads
psql "$DATABASE_URL" -c "ALTER TABLE users ADD COLUMN last_seen timestamptz"
