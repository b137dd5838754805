from motor.motor_asyncio import AsyncIOMotorClient

from app.config import settings

client = AsyncIOMotorClient(settings.mongodb_url, serverSelectionTimeoutMS=2000)
db = client[settings.mongodb_db]
