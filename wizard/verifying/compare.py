"""Compare one table, every value of every row: merged by key where both sides can be read in one order,
as a multiset of row digests where not.
"""

from __future__ import annotations

import sqlite3

from wizard.verifying.differences import Tally
from wizard.verifying.merge import Merge, OrderDiffers
from wizard.verifying.multiset import Multiset
from wizard.verifying.naming import Subject, Tools


def compare_table(subject: Subject, tools: Tools) -> Tally:
    """Compare one table. Raises sqlite3.Error, psycopg.Error, Stopped.

    An attempt that meets rows out of order, or bytes that are not UTF-8, is thrown away and made again
    in the slower way that can judge them.
    """
    merged = bool(subject.key) and all(subject.forms[i].sortable for i in subject.key)
    lenient = False
    while True:
        tools.scratch.restart(subject.name)
        attempt = (Merge if merged else Multiset)(subject, tools, lenient)
        try:
            attempt.run()
        except OrderDiffers:
            merged = False
        except sqlite3.OperationalError as error:
            if lenient or "decode" not in str(error):
                raise
            lenient = True
        else:
            attempt.unused_rewrites()
            return attempt.tally
