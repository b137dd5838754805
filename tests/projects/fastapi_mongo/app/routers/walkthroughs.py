from datetime import datetime, timezone

from bson import ObjectId
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from app.database import db

router = APIRouter(prefix="/walkthroughs", tags=["walkthroughs"])


class Block(BaseModel):
    type: str
    text: str | None = None
    url: str | None = None


class Step(BaseModel):
    title: str
    blocks: list[Block] = []


class Walkthrough(BaseModel):
    title: str
    cover: str | None = None
    steps: list[Step] = []


def shown(document):
    document["id"] = str(document.pop("_id"))
    return document


@router.post("")
async def create(walkthrough: Walkthrough):
    result = await db.walkthroughs.insert_one({**walkthrough.model_dump(), "version": 1})
    return {"id": str(result.inserted_id)}


@router.get("/{id}")
async def show(id: str):
    found = await db.walkthroughs.find_one({"_id": ObjectId(id)})
    if found is None:
        raise HTTPException(404, "No such walkthrough")
    return shown(found)


@router.put("/{id}")
async def update(id: str, walkthrough: Walkthrough):
    before = await db.walkthroughs.find_one({"_id": ObjectId(id)})
    if before is None:
        raise HTTPException(404, "No such walkthrough")
    await db.versions.insert_one(
        {
            "walkthrough_id": before["_id"],
            "version": before["version"],
            "saved_at": datetime.now(timezone.utc),
            "snapshot": {key: before[key] for key in ("title", "cover", "steps")},
        }
    )
    await db.walkthroughs.update_one(
        {"_id": before["_id"]}, {"$set": walkthrough.model_dump(), "$inc": {"version": 1}}
    )
    return {"version": before["version"] + 1}
