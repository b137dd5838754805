import {
  Controller,
  Delete,
  Get,
  Param,
  ParseIntPipe,
  Post,
  Res,
  StreamableFile,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import type { Response } from 'express';
import { resolve } from 'path';
import { AttachmentsService } from './attachments.service';

@Controller('tasks/:taskId/attachments')
export class AttachmentsController {
  constructor(private readonly attachments: AttachmentsService) {}

  @Post()
  @UseInterceptors(FileInterceptor('file'))
  upload(@Param('taskId', ParseIntPipe) taskId: number, @UploadedFile() file: Express.Multer.File) {
    return this.attachments.add(taskId, file);
  }

  @Get(':id')
  async show(@Param('id', ParseIntPipe) id: number, @Res() res: Response) {
    const attachment = await this.attachments.find(id);
    res.sendFile(resolve(attachment.path));
  }

  @Get(':id/download')
  async download(@Param('id', ParseIntPipe) id: number, @Res() res: Response) {
    const attachment = await this.attachments.find(id);
    res.download(attachment.path, attachment.originalName);
  }

  @Get(':id/stream')
  async stream(@Param('id', ParseIntPipe) id: number) {
    return new StreamableFile(this.attachments.stream(await this.attachments.find(id)));
  }

  @Delete(':id')
  async remove(@Param('id', ParseIntPipe) id: number) {
    await this.attachments.remove(id);
    return { deleted: id };
  }
}
