# ruff: noqa: E501
"""Statements that a small app sends to SQLite, in the order in which it sends them."""

from __future__ import annotations

from typing import Any

SCHEMA = """
DROP TABLE IF EXISTS posts; DROP TABLE IF EXISTS user;
-- users; with a semicolon
CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, Email VARCHAR(80),
    active BOOLEAN DEFAULT 1, created TIMESTAMP DEFAULT CURRENT_TIMESTAMP, price REAL DEFAULT 0,
    "order" INTEGER DEFAULT -1, note TEXT DEFAULT "none");
CREATE TABLE IF NOT EXISTS posts (
    Id INTEGER NOT NULL, user_id INTEGER REFERENCES user(id) ON DELETE CASCADE, Title TEXT NOT NULL CHECK (length(Title) > 0),
    body TEXT, qty DECIMAL(10,2), created_at TEXT NOT NULL DEFAULT (datetime('now')),
    PRIMARY KEY("Id" AUTOINCREMENT));
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE tagged (post INTEGER, tag TEXT, hits INTEGER DEFAULT 0, PRIMARY KEY (post, tag));
CREATE INDEX IF NOT EXISTS posts_user ON posts(user_id);
"""
STEPS: tuple[tuple[str, Any], ...] = (
    ("INSERT INTO user (username, Email) VALUES (?, ?)", ("ann", "Ann@x.de")),
    (
        "INSERT INTO user VALUES (NULL, ?, ?, ?, '2024-01-31 10:00:00', ?, 3, 'it''s 100% \\ ok')",
        ("bob", None, True, 2.5),
    ),
    ("INSERT INTO user (id, username, price) VALUES (?, ?, 10)", (None, "Eve")),
    ("INSERT INTO user (username) VALUES ('ann')", ()),
    ("INSERT OR IGNORE INTO user (username) VALUES ('ann')", ()),
    ("INSERT INTO user (username) VALUES (NULL)", ()),
    ("INSERT INTO user (id, username) VALUES (50, 'zed')", ()),
    ("INSERT INTO user (username) VALUES ('after zed')", ()),
    (
        "INSERT INTO posts (user_id, title, body, qty, created_at) VALUES (:u, :t, :b, :q, '2024-03-05 08:09:10')",
        {"u": 1, "t": "Hello", "b": "x", "q": 3.5},
    ),
    (
        "INSERT INTO posts (user_id, title, qty, created_at) VALUES (1, 'a?b', 4, '2023-12-31 23:59:59'), (2, '50%', NULL, '2024-03-06 00:00:00')",
        (),
    ),
    ("REPLACE INTO settings VALUES ('a', ?)", (1,)),
    ("INSERT OR REPLACE INTO settings (key, value) VALUES ('a', 'two')", ()),
    (
        "INSERT INTO tagged (post, tag) VALUES (1,'x') ON CONFLICT(post, tag) DO UPDATE SET hits = hits + 1",
        (),
    ),
    (
        "INSERT INTO tagged (post, tag) VALUES (1,'x') ON CONFLICT(post, tag) DO UPDATE SET hits = hits + 1",
        (),
    ),
    ("INSERT INTO tagged VALUES (2,'y',5) ON CONFLICT DO NOTHING", ()),
    ("UPDATE user SET active = NOT active WHERE username = ?", ("Eve",)),
    ("UPDATE user SET price = price * 1.5, note = ? WHERE id = '2'", (77,)),
    ("SELECT id, username, email, active, price, [order], note FROM user ORDER BY id", ()),
    ("SELECT * FROM tagged ORDER BY post", ()),
    ("SELECT * FROM settings", ()),
    ("SELECT COUNT(*), MAX(price), AVG(price), SUM(id) FROM user", ()),
    ("SELECT COUNT(*) AS Total, AVG(id) a, total(qty) FROM posts", ()),
    ("SELECT username FROM user WHERE username LIKE ? ORDER BY username DESC", ("%E%",)),
    (
        "SELECT username FROM user WHERE username NOT LIKE 'a%' AND active ORDER BY username COLLATE NOCASE LIMIT 1, 2",
        (),
    ),
    (
        "SELECT u.username, COUNT(p.id) AS n, GROUP_CONCAT(p.title, '; ') titles FROM user u LEFT JOIN posts p ON p.user_id = u.id GROUP BY u.id ORDER BY n DESC, u.id",
        (),
    ),
    (
        "SELECT strftime('%Y-%m', created_at) AS month, COUNT(*) c, ROUND(SUM(qty), 2) total FROM posts GROUP BY month ORDER BY month",
        (),
    ),
    (
        "SELECT date(created_at), datetime(created_at, '+1 day'), date(created_at,'start of month'), time(created_at), strftime('%d/%m/%Y %H:%M', created_at), strftime('%w', created_at), julianday(created_at) FROM posts ORDER BY id",
        (),
    ),
    (
        "SELECT id FROM posts WHERE created_at >= datetime('2024-01-01') AND date(created_at) <= ? ORDER BY id",
        ("2024-12-31",),
    ),
    ("SELECT title FROM posts WHERE created_at > datetime('now', '-7 days')", ()),
    ("SELECT title FROM posts WHERE created_at > datetime('now', ?)", ("-7 days",)),
    ("SELECT rowid, title FROM posts ORDER BY rowid DESC", ()),
    ("SELECT p.rowid AS r FROM posts p WHERE p.rowid > ?", (1,)),
    ("SELECT id FROM user WHERE email IS ? AND note IS NOT ? ORDER BY id", (None, "x")),
    ('SELECT id FROM user WHERE username = "bob"', ()),
    ("SELECT username || ' <' || IFNULL(email,'-') || '>' AS who FROM user ORDER BY who", ()),
    ("SELECT name FROM sqlite_master WHERE type='table' AND name=?", ("posts",)),
    ("SELECT id/2, id%2, 7/2, 7/2.0 FROM user ORDER BY id", ()),
    ("SELECT CAST('12' AS INTEGER), CAST(2.7 AS INTEGER), CAST(3 AS TEXT), CAST('1.5' AS REAL)", ()),
    ("SELECT SUM(active = 1) s, SUM(CASE WHEN active THEN 1 ELSE 0 END) t FROM user", ()),
    (
        "SELECT id FROM user WHERE id IN (?, ?, ?) AND price BETWEEN ? AND ? ORDER BY id",
        (1, "2", 3, 0, 100.5),
    ),
    ("SELECT max(1,2), min(price, 1) FROM user WHERE id=1", ()),
    ("SELECT EXISTS(SELECT 1 FROM user WHERE id = ?)", (1,)),
    ("SELECT ?, ? IS NULL", ("x", None)),
    (
        "SELECT substr(username, 1, 2), substr(username,-2), instr(username,'n'), upper(username), length(username), replace(username,'a','%') FROM user ORDER BY id",
        (),
    ),
    (
        "SELECT CASE active WHEN 1 THEN 'yes' ELSE 'no' END AS State FROM user ORDER BY id LIMIT ? OFFSET ?",
        (2, 1),
    ),
    ("SELECT iif(id > 1, 'big', 'small') FROM user ORDER BY id", ()),
    ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x < 3) SELECT x FROM n", ()),
    (
        "SELECT u.*, p.title FROM posts p JOIN user u ON u.id = p.user_id WHERE p.title == 'Hello' /* c ? */ -- d ?",
        (),
    ),
    ("SELECT DISTINCT user_id FROM posts ORDER BY user_id", ()),
    ("SELECT title FROM posts WHERE lower(title) LIKE '%' || ? || '%' ESCAPE '\\'", ("50\\%",)),
    ("SELECT username FROM user UNION SELECT title FROM posts ORDER BY 1", ()),
    ("SELECT * FROM nowhere", ()),
    ("SELECT id FROM user WHERE username = ? COLLATE NOCASE", ("EVE",)),
    ("SELECT 1 WHERE 1", ()),
    (
        "SELECT row_number() OVER (PARTITION BY user_id ORDER BY created_at) rn, title FROM posts ORDER BY rn, title",
        (),
    ),
    ("DELETE FROM posts WHERE user_id = (SELECT id FROM user WHERE username=?)", ("bob",)),
    ("INSERT INTO settings (key, value) SELECT username, email FROM user WHERE email IS NOT NULL", ()),
    ("PRAGMA foreign_keys = ON", ()),
    ("SELECT id FROM user WHERE (? IS NULL OR username = ?) ORDER BY id", ("ann", "ann")),
    ("SELECT count(*) FROM user WHERE created <= CURRENT_TIMESTAMP", ()),
    ("SELECT IFNULL(body, 'none') b, qty FROM posts ORDER BY qty, id", ()),
    ("SELECT typeof(title), typeof(user_id), typeof(NULL) FROM posts", ()),
    (
        "SELECT u.username, p.title FROM user AS u JOIN posts AS p ON u.id = p.user_id WHERE u.active = TRUE ORDER BY p.title",
        (),
    ),
    ("UPDATE posts SET body = title || ' ' || user_id WHERE user_id = ?", (1,)),
    ("SELECT body FROM posts WHERE body LIKE 'HELLO%' AND body IS NOT NULL", ()),
    ("SELECT user_id, COUNT(*) FROM posts GROUP BY user_id HAVING COUNT(*) >= ? ORDER BY 2 DESC, 1", (1,)),
    ("INSERT INTO posts (user_id, title) VALUES (?, ?)", (12345, "orphan")),
    ("INSERT INTO settings VALUES (:key, :value)", {"key": "k", "value": None, "unused": 1}),
    ("SELECT value IS NULL AS missing, key FROM settings WHERE key = :key OR key = :key", {"key": "k"}),
    ("DELETE FROM settings WHERE value IS NULL", ()),
    ("SELECT (SELECT COUNT(*) FROM posts WHERE user_id = u.id) AS n, id FROM user u ORDER BY id", ()),
    ("SELECT id FROM user WHERE id NOT IN (SELECT user_id FROM posts) ORDER BY id", ()),
    ("SELECT id FROM posts WHERE user_id IN (SELECT id FROM user WHERE id < 50) ORDER BY id", ()),
)
