import os

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from app.config import settings
from app.routers import files, walkthroughs

app = FastAPI(title="Walkthroughs")
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])

os.makedirs(settings.upload_dir, exist_ok=True)
app.mount("/uploads", StaticFiles(directory=settings.upload_dir), name="uploads")

app.include_router(files.router, prefix="/api")
app.include_router(walkthroughs.router, prefix="/api")


@app.get("/health")
async def health():
    return {"ok": True}
