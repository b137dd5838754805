"""Uploads of Python apps, whatever the framework: a small module that stands between the app and the disk.

`helper.helper_text` writes that module: each function takes the very path that the app uses today, and does
what the app did there (same arguments, same result) unless the bucket's variable is set and the path lies in
the uploads folder. So an edit only swaps the name of what is called, and is right for any path.

`idioms.find` locates the calls to swap (`os.remove(path)` → `uploads.remove(path)`) and those that only a
person can change; `taint` follows the names and config keys that carry the uploads folder.
"""
