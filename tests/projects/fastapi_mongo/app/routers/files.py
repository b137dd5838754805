import os
import shutil
import uuid
from pathlib import Path

import aiofiles
from fastapi import APIRouter, File, HTTPException, UploadFile
from fastapi.responses import FileResponse

from app.config import settings

router = APIRouter(prefix="/files", tags=["files"])

UPLOAD_DIR = Path(settings.upload_dir)
ALLOWED = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp4", ".pdf"}


def new_name(filename: str) -> str:
    suffix = Path(filename).suffix.lower()
    if suffix not in ALLOWED:
        raise HTTPException(400, "This kind of file is not allowed")
    return f"{uuid.uuid4().hex}{suffix}"


@router.post("")
def upload(file: UploadFile = File(...)):
    name = new_name(file.filename)
    path = UPLOAD_DIR / name
    # the copy runs in a thread: this route is not async
    with open(path, "wb") as buffer:
        shutil.copyfileobj(file.file, buffer)
    return {"name": name, "url": f"/uploads/{name}", "size": path.stat().st_size}


@router.post("/stream")
async def upload_stream(file: UploadFile = File(...)):
    name = new_name(file.filename)
    async with aiofiles.open(os.path.join(settings.upload_dir, name), "wb") as out:
        while chunk := await file.read(1024 * 1024):
            await out.write(chunk)
    return {"name": name, "url": f"/uploads/{name}"}


@router.post("/thumbnail")
async def upload_thumbnail(file: UploadFile = File(...)):
    name = new_name(file.filename)
    (UPLOAD_DIR / name).write_bytes(await file.read())
    return {"name": name, "url": f"/uploads/{name}"}


@router.get("")
def names():
    return sorted(os.listdir(settings.upload_dir))


@router.get("/{name}")
def download(name: str):
    path = UPLOAD_DIR / os.path.basename(name)
    if not path.exists():
        raise HTTPException(404, "No such file")
    return FileResponse(path, filename=name)


@router.delete("/{name}")
def delete(name: str):
    path = os.path.join(settings.upload_dir, os.path.basename(name))
    if os.path.exists(path):
        os.remove(path)
    return {"deleted": name}
