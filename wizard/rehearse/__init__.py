"""`ashore rehearse`: the whole run of an answers file on a copy of the project, against servers started here.

The copy is served before and after, and its pages are compared. Nothing outside the copy is written, no
provider is asked, nothing is deployed.
"""
