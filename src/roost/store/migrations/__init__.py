"""Alembic's migrations: the only part of Roost that uses SQLAlchemy."""

#: The newest migration.
HEAD = "2026_12_1"
