"""Files that run inside the project's own interpreter, never in ours: they are copied into the run's folder.

They import nothing of ashore and keep to Python 3.8.
"""
