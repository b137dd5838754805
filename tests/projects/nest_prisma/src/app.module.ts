import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { ServeStaticModule } from '@nestjs/serve-static';
import { join } from 'path';
import { AttachmentsModule } from './attachments/attachments.module';
import { PrismaService } from './prisma/prisma.service';
import { TasksController } from './tasks/tasks.controller';
import { UsersController } from './users/users.controller';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true }),
    // logos and avatars, shown by the front end as <img src="/uploads/…">
    ServeStaticModule.forRoot({
      rootPath: join(__dirname, '..', 'uploads'),
      serveRoot: '/uploads',
      serveStaticOptions: { index: false },
    }),
    AttachmentsModule,
  ],
  controllers: [TasksController, UsersController],
  providers: [PrismaService],
})
export class AppModule {}
