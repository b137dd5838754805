"""Uploads on a disk: the app's own variable names the folder, and what stays for a person."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.nestjs.change_places import Place, Reader, inside
from wizard.model import Instruction, Need
from wizard.patchers.javascript_source import walk


def change_disk(app: AppFolder, files: Mapping[str, Reader], root: Place, need: Need) -> list[Instruction]:
    """Nothing where the app reads the disk's variable; else where the folder is written down."""
    variable = need.variable("path") or "UPLOAD_PATH"
    if root.env == variable:
        return []
    if root.env:
        why = f"The app reads the folder from {root.env}: set it to what {variable} says, on the disk."
        return [Instruction(app.at("package.json"), 1, why, f"{root.env}\n")]
    result = []
    for path, reader in files.items():
        lines = set()
        for node in walk(reader.source.root):
            if node.type in ("string", "template_string") and node.start_point.row not in lines:
                place = reader.place(node)
                if place is not None and inside(place, root):
                    lines.add(node.start_point.row)
                    why = f"The folder of uploads is written here; on the disk, {variable} says where it is."
                    text = f"process.env.{variable} || './{root.path}'\n"
                    result.append(Instruction(app.at(path), node.start_point.row + 1, why, text))
    return result
