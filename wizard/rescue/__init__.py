"""After the loss: what of the app's data can still be found, where, of which date. Reads only.

What a person picks is written into a new folder, never over anything (`taking`).
"""
