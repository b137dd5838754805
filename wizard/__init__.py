"""The engine of ashore: moves a web app's data off the disk that its next deploy wipes."""

__version__ = "0.1.0"
