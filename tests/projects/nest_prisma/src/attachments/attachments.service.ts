import { Injectable, NotFoundException } from '@nestjs/common';
import * as fs from 'fs';
import { PrismaService } from '../prisma/prisma.service';

@Injectable()
export class AttachmentsService {
  constructor(private readonly prisma: PrismaService) {}

  add(taskId: number, file: Express.Multer.File) {
    return this.prisma.attachment.create({
      data: { taskId, originalName: file.originalname, path: file.path, size: file.size },
    });
  }

  async find(id: number) {
    const attachment = await this.prisma.attachment.findUnique({ where: { id } });
    if (!attachment || !fs.existsSync(attachment.path)) {
      throw new NotFoundException('No such attachment');
    }
    return attachment;
  }

  stream(attachment: { path: string }) {
    return fs.createReadStream(attachment.path);
  }

  async remove(id: number) {
    const attachment = await this.find(id);
    await this.prisma.attachment.delete({ where: { id } });
    await fs.promises.unlink(attachment.path);
  }
}
