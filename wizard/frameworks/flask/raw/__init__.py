"""Flask apps that speak to SQLite by the module sqlite3: one API for both databases, put into the project.

`compat/` is the small package that the project gets, byte for byte; it runs here, too, so that what it cannot
translate is known before anything is written. It does without sqlglot on purpose: `INSERT OR …`, date
modifiers, `"text"` in double quotes, `rowid`, values taken by affinity and the spelling of names need the
catalog of the database, so most of the work would remain, behind a dependency that writes statements anew.
"""
