"""Figures for the owner."""

import sqlite3


def dict_factory(cursor, row):
    return {column[0]: row[i] for i, column in enumerate(cursor.description)}


def monthly(database):
    conn = sqlite3.connect(database, detect_types=sqlite3.PARSE_DECLTYPES)
    conn.row_factory = dict_factory
    rows = conn.execute('''
        SELECT strftime('%Y-%m', issued) AS month, COUNT(*) AS count, ROUND(SUM(amount), 2) AS total,
               SUM(CASE WHEN paid THEN amount ELSE 0 END) AS paid, AVG(amount) AS mean
        FROM invoices WHERE date(issued) >= date(?, '-10 years')
        GROUP BY month ORDER BY month
    ''', ('2024-06-01',)).fetchall()
    joined = conn.execute("SELECT name, julianday('2024-06-01') - julianday(joined) AS days FROM customers ORDER BY name")
    result = {'months': rows, 'customers': joined.fetchall()}
    conn.close()
    return result
