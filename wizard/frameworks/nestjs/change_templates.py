"""The generated module for Node, piece by piece; what stands between « and » is left out for JavaScript."""

from __future__ import annotations

SHOWN = "    linkTo(key, req.method).then((link) => res.redirect(link), next);\n"
HEAD = """/**
 * Uploaded files: in a bucket when @BUCKET@ is set, else in the local folder.
 * Every function takes the path that the file has in the local folder.
 */"""
BASE = """const PREFIX = '@PREFIX@';
@ROOT@
const bucket = () => process.env.@BUCKET@;

let connected«: S3Client | undefined»;

function client()«: S3Client» {
  connected ??= new S3Client({
@OPTIONS@
  });
  return connected;
}

/** The object's name, or null when the file stays on the disk. */
function keyOf(file«: string»)«: string | null» {
  const name = path.relative(root(), path.resolve(file));
  if (!bucket() || !name || name.startsWith('..') || path.isAbsolute(name)) {
    return null;
  }
  return PREFIX + name.split(path.sep).join('/');
}
"""
SIGNED = """async function linkTo(key«: string», method«: string»)«: Promise<string>» {
  const place = { Bucket: bucket(), Key: key };
  const command =
    method === 'HEAD'
      ? new HeadObjectCommand(place)
      : new GetObjectCommand(place);
  return getSignedUrl(client(), command, { expiresIn: 3600 });
}
"""
PUBLIC = """function linkTo(key«: string»)«: string» {
  const name = key.split('/').map(encodeURIComponent).join('/');
  return `${@BASE@.replace(/\\/+$/, '')}/${name}`;
}
"""
FUNCTIONS = {
    "pipeTo": """async function pipeTo(res«: Response», key«: string»)«: Promise<void>» {
  const found = await client().send(
    new GetObjectCommand({
      Bucket: bucket(),
      Key: key,
      Range: res.req.headers.range,
    }),
  );
  res.status(found.ContentRange ? 206 : 200);
  const headers = {
    'Accept-Ranges': 'bytes',
    'Content-Length': found.ContentLength,
    'Content-Range': found.ContentRange,
    ETag: found.ETag,
  };
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) {
      res.setHeader(name, value);
    }
  }
  if (!res.getHeader('Content-Type')) {
    const type = found.ContentType ?? 'application/octet-stream';
    res.setHeader('Content-Type', type);
  }
  await pipeline(found.Body« as Readable», res);
}

function failed(res«: Response», error«: unknown»)«: void» {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const missing = error instanceof Error && error.name === 'NoSuchKey';
  res.status(missing ? 404 : 502).end();
}
""",
    "putFile": """async function putFile(file«: string», key«: string», type«: string»)«: Promise<void>» {
  const { size } = await fs.promises.stat(file);
  await client().send(
    new PutObjectCommand({
      Bucket: bucket(),
      Key: key,
      Body: fs.createReadStream(file),
      ContentLength: size,
      ContentType: type,
    }),
  );
}
""",
    "typeOf": """const TYPES«: Record<string, string>» = {
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
};

function typeOf(file«: string»)«: string» {
  return TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
}
""",
    "serveUploads": """/** Shows the files of a folder at their old addresses. */
export function serveUploads(folder«: string» = root())«: RequestHandler» {
  return (req, res, next) => {
    const key = keyOf(path.join(folder, decodeURIComponent(req.path)));
    if (key === null || !['GET', 'HEAD'].includes(req.method)) {
      next();
      return;
    }
    linkTo(key, req.method).then((link) => res.redirect(link), next);
  };
}
""",
    "sendUpload": """/** Does res.sendFile(file). */
export function sendUpload(
  res«: Response»,
  file«: string»,
  options«: { root?: string; headers?: Record<string, string> }» = {},
)«: void» {
  const key = keyOf(path.resolve(options.root ?? '', file));
  if (key === null) {
    res.sendFile(file, options);
    return;
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    res.setHeader(name, value);
  }
  pipeTo(res, key).catch((error«: unknown») => failed(res, error));
}
""",
    "downloadUpload": """/** Does res.download(file, name). */
export function downloadUpload(
  res«: Response»,
  file«: string»,
  name«: string» = path.basename(file),
)«: void» {
  const key = keyOf(file);
  if (key === null) {
    res.download(file, name);
    return;
  }
  res.attachment(name);
  pipeTo(res, key).catch((error«: unknown») => failed(res, error));
}
""",
    "uploadStorage": """/** Does what multer's diskStorage does, then moves the file to the bucket. */
export function uploadStorage(options«: DiskStorageOptions»)«: StorageEngine» {
  const disk = diskStorage(options);
  return {
    _handleFile(req, file, done) {
      disk._handleFile(req, file, (error, info) => {
        const key = error || !info?.path ? null : keyOf(info.path);
        if (key === null || !info?.path) {
          done(error, info);
          return;
        }
        const local = info.path;
        putFile(local, key, file.mimetype)
          .finally(() => fs.promises.rm(local))
          .then(() => done(null, info), done);
      });
    },
    _removeFile(_req, file, done) {
      removeUpload(file.path).then(() => done(null), done);
    },
  };
}
""",
    "unlinkUpload": """/** Does fs.unlink(file, done). */
export function unlinkUpload(
  file«: string»,
  done«: (error: Error | null) => void»,
)«: void» {
  removeUpload(file).then(() => done(null), done);
}
""",
    "writeUpload": """/** Does fs.promises.writeFile(file, data). */
export async function writeUpload(
  file«: string»,
  data«: string | Uint8Array»,
)«: Promise<void>» {
  const key = keyOf(file);
  if (key === null) {
    await fs.promises.writeFile(file, data);
    return;
  }
  await client().send(
    new PutObjectCommand({
      Bucket: bucket(),
      Key: key,
      Body: data,
      ContentType: typeOf(file),
    }),
  );
}
""",
    "readUpload": """/** Does fs.promises.readFile(file). */
export async function readUpload(file«: string»)«: Promise<Buffer>» {
  const key = keyOf(file);
  if (key === null) {
    return fs.promises.readFile(file);
  }
  const found = await client().send(
    new GetObjectCommand({ Bucket: bucket(), Key: key }),
  );
  return Buffer.from(await found.Body«!».transformToByteArray());
}
""",
    "openUpload": """/** Does fs.createReadStream(file). */
export function openUpload(file«: string»)«: Readable» {
  const key = keyOf(file);
  if (key === null) {
    return fs.createReadStream(file);
  }
  const stream = new PassThrough();
  client()
    .send(new GetObjectCommand({ Bucket: bucket(), Key: key }))
    .then((found) => pipeline(found.Body« as Readable», stream))
    .catch((error«: Error») => stream.destroy(error));
  return stream;
}
""",
    "removeUpload": """/** Deletes a file. */
export async function removeUpload(file«: string»)«: Promise<void>» {
  const key = keyOf(file);
  if (key === null) {
    await fs.promises.unlink(file);
    return;
  }
  await client().send(new DeleteObjectCommand({ Bucket: bucket(), Key: key }));
}
""",
    "removeUploads": """/** Deletes a folder with all that it holds. */
export async function removeUploads(folder«: string»)«: Promise<void>» {
  const key = keyOf(folder);
  await fs.promises.rm(folder, { recursive: true, force: true });
  if (key === null) {
    return;
  }
  const place = { Bucket: bucket(), Prefix: `${key}/` };
  for (;;) {
    const found = await client().send(new ListObjectsV2Command(place));
    for (const { Key } of found.Contents ?? []) {
      await client().send(new DeleteObjectCommand({ Bucket: bucket(), Key }));
    }
    if (!found.IsTruncated) {
      return;
    }
  }
}
""",
    "uploadExists": """/** Tells whether there is such a file or folder. */
export async function uploadExists(file«: string»)«: Promise<boolean>» {
  const key = keyOf(file);
  if (key === null) {
    return fs.existsSync(file);
  }
  for (const start of [key, `${key}/`]) {
    const found = await client().send(
      new ListObjectsV2Command({ Bucket: bucket(), Prefix: start, MaxKeys: 1 }),
    );
    const first = found.Contents?.[0]?.Key;
    if (first === key || first?.startsWith(`${key}/`)) {
      return true;
    }
  }
  return false;
}
""",
    "listUploads": """/** Returns the names in a folder, as fs.promises.readdir does. */
export async function listUploads(folder«: string»)«: Promise<string[]>» {
  const key = keyOf(folder);
  if (key === null && (!bucket() || path.resolve(folder) !== root())) {
    return fs.promises.readdir(folder);
  }
  const start = key === null ? PREFIX : `${key}/`;
  const names = new Set«<string>»();
  let token«: string | undefined»;
  do {
    const found = await client().send(
      new ListObjectsV2Command({
        Bucket: bucket(),
        Prefix: start,
        ContinuationToken: token,
      }),
    );
    for (const { Key } of found.Contents ?? []) {
      if (Key) {
        names.add(Key.slice(start.length).split('/')[0]);
      }
    }
    token = found.NextContinuationToken;
  } while (token);
  return [...names];
}
""",
}
