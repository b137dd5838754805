"""A PostgreSQL database as a dump in the run's folder: taken, read, loaded elsewhere, compared."""
