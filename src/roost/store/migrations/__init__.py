"""The Alembic migrations, which are the only part of Roost that uses SQLAlchemy."""

#: The id of the newest migration, which the database's tables must have.
HEAD = "2026_12_1"
