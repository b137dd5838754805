import { Injectable, OnModuleDestroy } from '@nestjs/common';
import { Pool } from 'pg';

/** The few queries of the app over `pg`: Prisma's engine cannot be had without its download server. */
@Injectable()
export class PrismaService implements OnModuleDestroy {
  private readonly pool = new Pool({ connectionString: process.env.DATABASE_URL });

  async onModuleDestroy() {
    await this.pool.end();
  }

  private async rows(sql: string, values: unknown[] = []) {
    return (await this.pool.query(sql, values)).rows;
  }

  task = {
    create: async (q: { data: { title: string } }) =>
      (await this.rows('INSERT INTO "Task" (title) VALUES ($1) RETURNING *', [q.data.title]))[0],
    findMany: async (_q: object) => {
      const tasks = await this.rows('SELECT * FROM "Task" ORDER BY id');
      const attachments = await this.rows('SELECT * FROM "Attachment" ORDER BY id');
      return tasks.map((t) => ({ ...t, attachments: attachments.filter((a) => a.taskId === t.id) }));
    },
    delete: async (q: { where: { id: number } }) =>
      (await this.rows('DELETE FROM "Task" WHERE id = $1 RETURNING *', [q.where.id]))[0],
  };

  attachment = {
    create: async (q: { data: { taskId: number; originalName: string; path: string; size: number } }) =>
      (
        await this.rows(
          'INSERT INTO "Attachment" ("taskId", "originalName", path, size) VALUES ($1, $2, $3, $4) RETURNING *',
          [q.data.taskId, q.data.originalName, q.data.path, q.data.size],
        )
      )[0],
    findUnique: async (q: { where: { id: number } }) =>
      (await this.rows('SELECT * FROM "Attachment" WHERE id = $1', [q.where.id]))[0],
    delete: async (q: { where: { id: number } }) =>
      (await this.rows('DELETE FROM "Attachment" WHERE id = $1 RETURNING *', [q.where.id]))[0],
  };

  user = {
    update: async (q: { where: { id: number }; data: { avatarUrl: string } }) =>
      (
        await this.rows(
          'INSERT INTO "User" (id, email, "avatarUrl") VALUES ($1, md5(random()::text), $2) ON CONFLICT (id) DO UPDATE SET "avatarUrl" = $2 RETURNING *',
          [q.where.id, q.data.avatarUrl],
        )
      )[0],
    findUnique: async (q: { where: { id: number } }) =>
      (await this.rows('SELECT * FROM "User" WHERE id = $1', [q.where.id]))[0],
  };
}
