import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { MulterModule } from '@nestjs/platform-express';
import { existsSync, mkdirSync } from 'fs';
import { diskStorage } from 'multer';
import { extname, join } from 'path';
import { PrismaService } from '../prisma/prisma.service';
import { AttachmentsController } from './attachments.controller';
import { AttachmentsService } from './attachments.service';

@Module({
  imports: [
    MulterModule.registerAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        storage: diskStorage({
          destination: (req, _file, cb) => {
            const base = config.get<string>('UPLOAD_PATH') || './uploads';
            const folder = join(base, String(req.params.taskId));
            if (!existsSync(folder)) {
              mkdirSync(folder, { recursive: true });
            }
            cb(null, folder);
          },
          filename: (_req, file, cb) => {
            const stamp = `${Date.now()}-${Math.round(Math.random() * 1e9)}`;
            cb(null, `${stamp}${extname(file.originalname)}`);
          },
        }),
        limits: { fileSize: 20 * 1024 * 1024 },
      }),
    }),
  ],
  controllers: [AttachmentsController],
  providers: [AttachmentsService, PrismaService],
})
export class AttachmentsModule {}
