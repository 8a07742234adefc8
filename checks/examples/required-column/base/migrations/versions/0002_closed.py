"""no notes are taken any more"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute(
        "CREATE FUNCTION refuse_note() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RAISE EXCEPTION $$no new notes$$; END'"
    )
    op.execute(
        "CREATE TRIGGER refuse_notes BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION refuse_note()"
    )


def downgrade():
    op.execute("DROP TRIGGER refuse_notes ON notes")
    op.execute("DROP FUNCTION refuse_note()")
