"""Prisma: the tables of an app in TypeScript or JavaScript, built from its schema.prisma."""
