"""Backups of an app's data: written, verified, kept, restored, tested.

A backup is one folder (or one prefix in a bucket) that any tool can read: the database as SQLite file or
pg_dump archive, the uploads as files, a manifest, and `backup.json`, which is written last.
"""
