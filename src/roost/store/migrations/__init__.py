"""The Alembic migrations. Only they use SQLAlchemy in Roost."""

#: The id of the newest migration, which the database's tables must have.
HEAD = "2026_12_1"
