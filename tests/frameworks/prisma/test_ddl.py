"""PostgreSQL's tables from schema.prisma, named and typed as Prisma does it."""

from __future__ import annotations

import psycopg
import pytest

from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.frameworks.prisma.ddl import script
from wizard.frameworks.prisma.parse import parse

SCHEMA = """
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

/// Who may do what
enum Role {
  USER  @map("user")
  ADMIN // all
  @@map("roles")
}

model User {
  id        Int        @id @default(autoincrement())
  email     String     @unique @db.VarChar(255)
  role      Role       @default(USER)
  tags      String[]   @default(["a", "it's"])
  bossId    Int?       @map("boss_id")
  boss      User?      @relation("Boss", fields: [bossId], references: [id])
  staff     User[]     @relation("Boss")
  friends   User[]     @relation("Friends")
  friendOf  User[]     @relation("Friends")
  groups    Group[]
  posts     Post[]
  made      DateTime   @default(now()) @db.Timestamptz(6)
  changed   DateTime   @updatedAt
  price     Decimal    @default(0.5)
  small     Int        @default(3) @db.SmallInt
  code      String     @default(uuid())
  data      Json       @default("{}")
  raw       Bytes      @default("AP8=")
  place     Unsupported("point")?

  @@unique([email, role], name: "both")
  @@index([role(sort: Desc), made])
  @@index(bossId)
  @@map("users")
}

model Post {
  a      BigInt  @default(autoincrement())
  b      String  @db.Uuid
  userId Int
  user   User    @relation(fields: [userId], references: [id], map: "fk_user",
    onDelete: Cascade, onUpdate: NoAction)

  @@id([a, b])
}

model Group {
  id      String @id @default(dbgenerated("gen_random_uuid()")) @db.Uuid
  a_very_long_name_for_a_column_that_is_indexed_and_goes_on Int @unique
  members User[]
}
"""
COLUMNS = """
    SELECT table_name || '.' || column_name, format_type(a.atttypid, a.atttypmod), attnotnull, column_default
    FROM information_schema.columns c JOIN pg_attribute a
    ON a.attrelid = format('%I', c.table_name)::regclass AND a.attname = c.column_name
    WHERE table_schema = 'public'
"""


def test_types_names_and_actions(database_url: Secret) -> None:
    with psycopg.connect(database_url.reveal()) as connection:
        connection.execute(script(parse(SCHEMA), 6).encode())
        columns = {name: rest for name, *rest in connection.execute(COLUMNS.encode()).fetchall()}
        names = {
            name
            for (name,) in connection.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
        }
        keys = dict(
            connection.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
            )
        )
        labels = [r for (r,) in connection.execute("SELECT unnest(enum_range(NULL::roles))::text")]
    assert columns["users.email"][:2] == ["character varying(255)", True]
    assert columns["users.role"] == ["roles", True, "'user'::roles"]
    assert columns["users.tags"] == ["text[]", False, "ARRAY['a'::text, 'it''s'::text]"]
    assert columns["users.made"] == ["timestamp(6) with time zone", True, "CURRENT_TIMESTAMP"]
    assert columns["users.changed"] == ["timestamp(3) without time zone", True, None]
    assert columns["users.price"] == ["numeric(65,30)", True, "0.5"]
    assert columns["users.small"] == ["smallint", True, "3"]
    assert columns["users.code"] == ["text", True, None]
    assert columns["users.raw"] == ["bytea", True, "'\\x00ff'::bytea"]
    assert columns["users.place"] == ["point", False, None]
    assert columns["Post.a"] == ["bigint", True, """nextval('"Post_a_seq"'::regclass)"""]
    assert columns["Group.id"] == ["uuid", True, "gen_random_uuid()"]
    assert [columns["_GroupToUser.A"][0], columns["_GroupToUser.B"][0]] == ["uuid", "integer"]
    assert labels == ["user", "ADMIN"]
    assert names == {
        "users_pkey", "users_email_key", "users_email_role_key", "users_role_made_idx", "users_boss_id_idx",
        "Post_pkey", "Group_pkey", "Group_a_very_long_name_for_a_column_that_is_indexed_and_goe_key",
        "_GroupToUser_AB_pkey", "_GroupToUser_B_index", "_Friends_AB_pkey", "_Friends_B_index",
    }  # fmt: skip
    said = "FOREIGN KEY (boss_id) REFERENCES users(id) ON UPDATE CASCADE ON DELETE SET NULL"
    assert keys == {
        "users_boss_id_fkey": said,
        "fk_user": 'FOREIGN KEY ("userId") REFERENCES users(id) ON DELETE CASCADE',
        "_GroupToUser_A_fkey": 'FOREIGN KEY ("A") REFERENCES "Group"(id) ON UPDATE CASCADE ON DELETE CASCADE',
        "_GroupToUser_B_fkey": 'FOREIGN KEY ("B") REFERENCES users(id) ON UPDATE CASCADE ON DELETE CASCADE',
        "_Friends_A_fkey": 'FOREIGN KEY ("A") REFERENCES users(id) ON UPDATE CASCADE ON DELETE CASCADE',
        "_Friends_B_fkey": 'FOREIGN KEY ("B") REFERENCES users(id) ON UPDATE CASCADE ON DELETE CASCADE',
    }


def test_older_prisma_has_a_unique_index_between_many_and_many() -> None:
    assert 'CREATE UNIQUE INDEX "_Friends_AB_unique" ON "_Friends"("A", "B");' in script(parse(SCHEMA), 5)


@pytest.mark.parametrize(
    "text", ["model A {\n  id Int @id\n", "model A {\n  id Int @id(\n}\n", "model A {\n ^ }"]
)
def test_what_cannot_be_read_is_said_with_its_line(text: str) -> None:
    with pytest.raises(UsageError) as told:
        parse(text)
    assert told.value.code == "unreadable-prisma-schema" and "line " in told.value.message
