"""The journal and its tables in SQLite or PostgreSQL, by SQLAlchemy Core."""
