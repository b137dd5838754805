"""What Flask and FastAPI share: a schema that Alembic or SQLAlchemy's models make."""
