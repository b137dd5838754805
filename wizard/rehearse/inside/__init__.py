"""Files that are copied out and run by the project's own interpreter; they import nothing of ashore."""
