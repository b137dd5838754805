import { Body, Controller, Delete, Get, Param, ParseIntPipe, Post } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import * as fs from 'fs';
import * as path from 'path';
import { PrismaService } from '../prisma/prisma.service';

@Controller('tasks')
export class TasksController {
  constructor(
    private readonly prisma: PrismaService,
    private readonly config: ConfigService,
  ) {}

  @Post()
  create(@Body('title') title: string) {
    return this.prisma.task.create({ data: { title } });
  }

  @Get()
  findAll() {
    return this.prisma.task.findMany({ include: { attachments: true } });
  }

  @Delete(':id')
  async remove(@Param('id', ParseIntPipe) id: number) {
    const task = await this.prisma.task.delete({ where: { id } });
    const uploadPath = this.config.get<string>('UPLOAD_PATH') || './uploads';
    const taskFolder = path.join(uploadPath, String(id));
    if (fs.existsSync(taskFolder)) {
      fs.rmSync(taskFolder, { recursive: true, force: true });
    }
    return task;
  }
}
