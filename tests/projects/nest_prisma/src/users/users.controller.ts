import { Controller, Get, Param, ParseIntPipe, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { PrismaService } from '../prisma/prisma.service';

@Controller('users')
export class UsersController {
  constructor(private readonly prisma: PrismaService) {}

  @Post(':id/avatar')
  @UseInterceptors(FileInterceptor('avatar', { dest: './uploads/avatars' }))
  setAvatar(@Param('id', ParseIntPipe) id: number, @UploadedFile() file: Express.Multer.File) {
    return this.prisma.user.update({
      where: { id },
      data: { avatarUrl: `/uploads/avatars/${file.filename}` },
    });
  }

  @Get(':id')
  show(@Param('id', ParseIntPipe) id: number) {
    return this.prisma.user.findUnique({ where: { id } });
  }
}
