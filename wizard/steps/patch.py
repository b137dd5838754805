"""Change the project's files, once everything is proven.

Every file is checked before the first is written. An original is copied into the run's folder, the
journal says so, then the file is replaced whole: a kill in between leaves each file either as it was
or as it must be, and undo always knows the original.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict
from pathlib import Path

from wizard.context import RunContext
from wizard.databases.postgres.target import open_target
from wizard.errors import NotAsPlanned
from wizard.events import EditMade, Warned
from wizard.model import Edit
from wizard.patchers import files
from wizard.patchers.base import apply_splices, sha256
from wizard.patchers.diff import patch
from wizard.patchers.masking import masked

name = "patch"
PATCH_FILE = "ashore.patch"
_SERVERS = ("render", "neon", "supabase", "postgres")


def run(ctx: RunContext) -> str:
    """Apply, show or skip the plan's edits, as the answers say. May be repeated after a kill.

    Raises NotAsPlanned `file-changed` or `file-outside-project` before anything is written, StepFailed
    `file-unwritable`.
    """
    ctx.journal.put("patch", "instructions", [asdict(i) for i in ctx.plan.instructions])
    edits = [e for e in ctx.plan.edits if e.path not in ctx.answers.skip_edits]
    by_hand = f"; {len(ctx.plan.instructions)} to make by hand" if ctx.plan.instructions else ""
    if ctx.answers.patch == "skip" or not edits:
        return f"no file changed{by_hand}"
    found = [(edit, *_checked(ctx.project.root, edit)) for edit in edits]
    if ctx.answers.patch == "show":
        return _show(ctx, found) + by_hand
    todo = [(e, f, d) for e, f, d in found if _digest(d) != e.after_sha256]
    dirty = uncommitted(ctx.project.root, [e.path for e, _, d in todo if d is not None])
    if dirty:
        message = f"Not committed before ashore changed them: {', '.join(dirty)}. `ashore undo` knows them."
        ctx.emit(Warned("uncommitted-changes", message))
    for edit, _, data in todo:
        if data is not None:
            _keep_original(ctx.folder.originals / edit.path, data)
    record = {str(r["path"]): r for r in ctx.journal.get("patch", "edits") or []}
    # A file that already was as it must be, without a record of ours, is not ours to undo.
    record |= {e.path: _fact(e) for e, _, _ in todo}
    ctx.journal.put("patch", "edits", list(record.values()))
    _keep_in_target(ctx, [e for e in edits if e.before_sha256 is not None and e.path in record])
    for edit, file, data in todo:
        ctx.cancel.check()
        if files.read(edit.path, file) != data:
            raise NotAsPlanned(
                "file-changed",
                f"{edit.path} was changed by someone else just now; it was left as it is.",
                f"Put it back as it was and `ashore resume`, or leave {edit.path} out with skip_edits. "
                "`ashore undo` puts the files back that were changed before it.",
            )
        files.write_durably(file, apply_splices(data, edit))
        ctx.emit(EditMade(edit.path, edit.added, edit.removed))
    for _, file, _ in found:
        files.leftover(file).unlink(missing_ok=True)
    return f"{len(edits)} file{'s' if len(edits) != 1 else ''} changed{by_hand}"


def _fact(edit: Edit) -> dict[str, object]:
    return {
        "path": edit.path,
        "before": edit.before_sha256,
        "after": edit.after_sha256,
        "added": edit.added,
        "removed": edit.removed,
    }


def _digest(data: bytes | None) -> str | None:
    return None if data is None else sha256(data)


def _checked(root: Path, edit: Edit) -> tuple[Path, bytes | None]:
    """The file and its bytes, which are those before or those after the edit."""
    file = files.locate(root, edit.path)
    data = files.read(edit.path, file)
    if _digest(data) not in (edit.before_sha256, edit.after_sha256):
        state = "is gone" if data is None else "was made" if edit.before_sha256 is None else "has changed"
        raise NotAsPlanned(
            "file-changed",
            f"{edit.path} {state} since the plan was made; no file was changed.",
            f"Put it back as it was and `ashore resume`, or leave {edit.path} out with skip_edits and "
            "change it by hand. The data is safe where it is.",
        )
    return file, data


def _keep_original(place: Path, data: bytes) -> None:
    """Keep the exact bytes, unless an earlier execution did."""
    if place.is_file() and place.read_bytes() == data:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    files.write_durably(place, data)
    files.sync_folder(place.parent.parent)


def _keep_in_target(ctx: RunContext, edits: list[Edit]) -> None:
    """The originals, with what looks secret masked, in the target's record: for a lost state folder."""
    database = ctx.answers.database
    named = database is not None and (database.url is not None or database.create is not None)
    if database is None or not named or database.provider not in _SERVERS or not edits:
        return
    with open_target(ctx) as target, target.transaction() as cursor:
        for edit in edits:
            data = (ctx.folder.originals / edit.path).read_bytes()
            text = ctx.redactor.text(masked(data.decode("utf-8", "surrogateescape")))
            cursor.execute(
                "INSERT INTO ashore.original (run, path, bytes) VALUES (%s, %s, %s) "
                "ON CONFLICT (run, path) DO UPDATE SET bytes = excluded.bytes",
                (ctx.run, edit.path, text.encode("utf-8", "surrogateescape")),
            )


def _show(ctx: RunContext, found: list[tuple[Edit, Path, bytes | None]]) -> str:
    """Write the edits not yet made as one patch file into the run's folder.

    Paths count from the top of the git repository: `git apply` passes over all others without a word.
    """
    parts: list[str] = []
    inside = _inside_repository(ctx.project.root)
    narrow, hidden = False, []
    for edit, _, data in found:
        if _digest(data) == edit.after_sha256:
            continue
        after = apply_splices(data, edit)
        made = patch(inside + edit.path, data, after)
        if made is None:
            hidden.append(edit.path)
            continue
        narrow = narrow or made.narrow
        parts.append(made.text)
    place = ctx.folder.path / PATCH_FILE
    files.write_durably(place, "".join(parts).encode("utf-8", "surrogateescape"))
    if hidden:
        message = (
            f"Not in {PATCH_FILE}, as a changed line looks like a secret or the file is UTF-16: "
            f"{', '.join(hidden)}. `patch: apply` changes them."
        )
        ctx.emit(Warned("not-in-patch", message))
    option = " --unidiff-zero" if narrow else ""
    return f"no file changed; apply with: git apply{option} {place}"


def _inside_repository(root: Path) -> str:
    """The folder `root` as a prefix of paths in its git repository; "" at the top, and without one."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            inside = root.relative_to(folder).as_posix()
            return "" if inside == "." else inside + "/"
    return ""


def uncommitted(root: Path, paths: list[str]) -> list[str]:
    """Those of `paths` with changes git has not committed; none where the project is no git repository."""
    if not paths:
        return []
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--", *paths]
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        return []
    lines = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return [line[3:] for line in lines if len(line) > 3 and line[2] == " "]
