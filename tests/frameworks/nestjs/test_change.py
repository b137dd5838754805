"""What a Nest or Express app becomes: the swaps, what stays for a person, and that twice is once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.frameworks.app_kit import BUCKET, DISK, HYBRID, PUBLIC, changed, copied, written
from wizard.frameworks.nestjs.change import change

EXPRESS = {
    "package.json": '{\n  "name": "x",\n  "dependencies": {\n    "express": "^4.0.0"\n  }\n}\n',
    "server.js": """\
const express = require('express');
const multer = require('multer');
const fs = require('fs');
const path = require('path');

const app = express();
const UPLOADS = path.join(__dirname, 'public', 'uploads');
const upload = multer({
  storage: multer.diskStorage({
    destination: (req, file, cb) => cb(null, UPLOADS),
    filename: (req, file, cb) => cb(null, file.originalname),
  }),
});

app.use(express.static('public'));
app.post('/files', upload.single('file'), (req, res) => {
  res.json({ url: `/uploads/${req.file.filename}` });
});
app.delete('/files/:name', (req, res) => {
  fs.unlink(path.join(UPLOADS, req.params.name), () => res.end());
});
app.get('/sync/:name', (req, res) => {
  res.end(fs.readFileSync(path.join(UPLOADS, req.params.name)));
});
const page = fs.readFileSync('page.html', 'utf8');
app.listen(3000);
""",
}


def test_the_sample_is_changed_whole_and_twice_is_once(tmp_path: Path) -> None:
    root = copied("nest_prisma", tmp_path / "app")
    made = changed(change, root, "nestjs", BUCKET)
    assert made.instructions == ()
    assert sorted(e.path for e in made.edits) == [
        ".env.example",
        "package.json",
        "render.yaml",
        "src/attachments/attachments.controller.ts",
        "src/attachments/attachments.module.ts",
        "src/attachments/attachments.service.ts",
        "src/main.ts",
        "src/tasks/tasks.controller.ts",
        "src/upload-storage.ts",
        "src/users/users.controller.ts",
    ]
    main = (root / "src/main.ts").read_text()
    assert "app.use('/uploads', serveUploads());\n  await app.listen(" in main
    users = (root / "src/users/users.controller.ts").read_text()
    assert "{ storage: uploadStorage({ destination: './uploads/avatars' }) }" in users
    listed = json.loads((root / "package.json").read_text())["dependencies"]
    assert {"@aws-sdk/client-s3", "@aws-sdk/s3-request-presigner"} <= listed.keys()
    again = changed(change, root, "nestjs", BUCKET)
    assert (again.edits, again.instructions) == ((), ())


def test_an_express_app_is_changed_and_the_rest_is_told_with_its_line(tmp_path: Path) -> None:
    root = written(tmp_path, EXPRESS)
    made = changed(change, root, "express", BUCKET)
    text = (root / "server.js").read_text()
    assert "storage: uploadStorage({\n    destination: (req, file, cb) => cb(null, UPLOADS)," in text
    assert "app.use('/uploads', serveUploads());\napp.use(express.static('public'));" in text
    assert "unlinkUpload(path.join(UPLOADS, req.params.name), () => res.end());" in text
    assert "fs.readFileSync('page.html', 'utf8')" in text
    helper = (root / "upload-storage.js").read_text()
    assert "path.resolve(__dirname, 'public', 'uploads')" in helper
    assert "module.exports = {" in helper
    (told,) = made.instructions
    assert (told.file, told.line) == ("server.js", 23)
    assert "fs.readFileSync(path.join(UPLOADS" in told.text
    assert changed(change, root, "express", BUCKET).edits == ()


def test_line_endings_and_quotes_stay(tmp_path: Path) -> None:
    text = EXPRESS["server.js"].replace("'", '"').replace("\n", "\r\n").encode()
    root = written(tmp_path, {**EXPRESS, "server.js": b"\xef\xbb\xbf" + text})
    changed(change, root, "express", BUCKET)
    after = (root / "server.js").read_bytes()
    assert after.count(b"\r\n") == after.count(b"\n")
    assert after.startswith(b"\xef\xbb\xbf")
    assert b'require("./upload-storage")' in after
    assert "'" not in (root / "upload-storage.js").read_text().replace("object's", "").replace("multer's", "")


def test_public_files_are_shown_at_their_own_address_below_the_prefix(tmp_path: Path) -> None:
    root = written(tmp_path, EXPRESS)
    changed(change, root, "express", PUBLIC)
    helper = (root / "upload-storage.js").read_text()
    assert "process.env.S3_PUBLIC_URL" in helper
    assert "const PREFIX = 'files/';" in helper
    assert "getSignedUrl" not in helper
    assert "s3-request-presigner" not in (root / "package.json").read_text()


def test_a_disk_needs_no_change_where_the_app_reads_its_variable(tmp_path: Path) -> None:
    root = copied("nest_prisma", tmp_path / "app")
    made = changed(change, root, "nestjs", DISK)
    assert [e.path for e in made.edits] == []
    other = written(tmp_path / "other", EXPRESS)
    made = changed(change, other, "express", DISK)
    assert ".env.example" in [e.path for e in made.edits]
    assert not any(e.path.endswith(".js") for e in made.edits)


def test_a_file_in_the_database_is_left_to_a_person(tmp_path: Path) -> None:
    root = copied("nest_prisma", tmp_path / "app")
    made = changed(change, root, "nestjs", HYBRID)
    assert made.edits == ()
    assert len(made.instructions) == 1


@pytest.mark.parametrize("broken", ["import {", "const a = ;"])
def test_a_file_that_does_not_parse_is_not_touched(tmp_path: Path, broken: str) -> None:
    root = written(tmp_path, {**EXPRESS, "broken.js": f"{broken}\nconst multer = require('multer')\n"})
    made = changed(change, root, "express", BUCKET)
    assert "broken.js" not in [e.path for e in made.edits]


def test_the_generated_module_is_not_written_over_a_file_of_the_project(tmp_path: Path) -> None:
    root = written(tmp_path, {**EXPRESS, "upload-storage.js": "module.exports = {};\n"})
    made = changed(change, root, "express", BUCKET)
    assert not any(e.path.endswith(".js") for e in made.edits)
    assert any("upload-storage.js" in i.file for i in made.instructions)


def test_a_folder_that_cannot_be_read_from_the_code_is_told_where_multer_writes(tmp_path: Path) -> None:
    text = EXPRESS["server.js"].replace("path.join(__dirname, 'public', 'uploads')", "elsewhere()")
    made = changed(change, written(tmp_path, {**EXPRESS, "server.js": text}), "express", BUCKET)
    assert [(i.file, i.line) for i in made.instructions] == [("server.js", 9)]
    assert not any(e.path.endswith(".js") for e in made.edits)
