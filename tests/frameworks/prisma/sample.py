"""A small NestJS project with Prisma on SQLite, and its database as Prisma 6 writes it."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

PACKAGE = '{"name": "desk", "dependencies": {"@nestjs/core": "^10", "@prisma/client": "^6.1.0"}}\n'
SCHEMA = """\
generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "sqlite"
  url      = "file:./dev.db"
}

model User {
  id        Int      @id @default(autoincrement())
  email     String   @unique
  active    Boolean  @default(true)
  balance   Decimal  @default(0)
  visits    BigInt   @default(0)
  settings  Json?
  avatar    Bytes?
  createdAt DateTime @default(now())
  updatedAt DateTime @updatedAt
  tasks     Task[]
  teams     Team[]
}

model Task {
  id     String    @id @default(cuid())
  title  String
  due    DateTime?
  userId Int?      @map("user_id")
  user   User?     @relation(fields: [userId], references: [id])

  @@index([userId, due])
  @@map("tasks")
}

model Team {
  id    Int    @id @default(autoincrement())
  name  String
  users User[]
}
"""
MIGRATION = """\
-- CreateTable
CREATE TABLE "User" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "email" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "balance" DECIMAL NOT NULL DEFAULT 0,
    "visits" BIGINT NOT NULL DEFAULT 0,
    "settings" JSONB,
    "avatar" BLOB,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" DATETIME NOT NULL
);
CREATE TABLE "tasks" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "title" TEXT NOT NULL,
    "due" DATETIME,
    "user_id" INTEGER,
    CONSTRAINT "tasks_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id")
        ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE TABLE "Team" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL);
CREATE TABLE "_TeamToUser" (
    "A" INTEGER NOT NULL,
    "B" INTEGER NOT NULL,
    CONSTRAINT "_TeamToUser_A_fkey" FOREIGN KEY ("A") REFERENCES "Team" ("id") ON DELETE CASCADE,
    CONSTRAINT "_TeamToUser_B_fkey" FOREIGN KEY ("B") REFERENCES "User" ("id") ON DELETE CASCADE
);
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE INDEX "tasks_user_id_due_idx" ON "tasks"("user_id", "due");
CREATE UNIQUE INDEX "_TeamToUser_AB_unique" ON "_TeamToUser"("A", "B");
CREATE INDEX "_TeamToUser_B_index" ON "_TeamToUser"("B");
"""
HISTORY = """
CREATE TABLE "_prisma_migrations" (
    "id" TEXT PRIMARY KEY NOT NULL, "checksum" TEXT NOT NULL, "finished_at" DATETIME,
    "migration_name" TEXT NOT NULL, "logs" TEXT, "rolled_back_at" DATETIME,
    "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
);
"""
NAME = "20240101000000_init"
CREATED = 1704103445678  # 2024-01-01T10:04:05.678Z


def write(root: Path, *, migrations: bool = True) -> Path:
    """The project in `root`, with 20 users, 40 tasks and 3 teams."""
    folder = root / "prisma"
    folder.mkdir(parents=True)
    (root / "package.json").write_text(PACKAGE)
    (folder / "schema.prisma").write_text(SCHEMA)
    with closing(sqlite3.connect(folder / "dev.db")) as db, db:
        db.executescript(MIGRATION)
        if migrations:
            (folder / "migrations" / NAME).mkdir(parents=True)
            (folder / "migrations" / NAME / "migration.sql").write_text(MIGRATION)
            (folder / "migrations" / "migration_lock.toml").write_text('provider = "sqlite"\n')
            db.executescript(HISTORY)
            checksum = hashlib.sha256(MIGRATION.encode()).hexdigest()
            db.execute(
                "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) "
                "VALUES (?, ?, ?, ?)",
                ("a", checksum, CREATED, NAME),
            )
        for n in range(20):
            db.execute(
                'INSERT INTO "User" (email, active, balance, visits, settings, avatar, createdAt, updatedAt) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (f"u{n}@x.org", n % 2, 12.25 * n, 2**40 + n, '{"a": [1]}', b"\0\1", CREATED + n, CREATED - n),
            )
        # CURRENT_TIMESTAMP as the default of a column, and the text of the driver adapters.
        db.execute(
            """INSERT INTO "User" (email, updatedAt) VALUES ('z@x.org', '2024-02-03T04:05:06.789+00:00')"""
        )
        for n in range(40):
            due = CREATED * 2 if n % 3 else None
            db.execute(
                "INSERT INTO tasks VALUES (?, ?, ?, ?)", (f"c{n}", "t", due, n % 20 + 1 if n % 4 else None)
            )
        db.execute("INSERT INTO \"Team\" (name) VALUES ('a'), ('b'), ('c')")
        db.execute('INSERT INTO "_TeamToUser" VALUES (1, 1), (1, 2), (3, 2)')
    return root
