"""Editions of the course, and the generators of its stored files.

`python -m server.lab.classroom --help` lists the commands; `run.py` calls them. Each edition goes into a new folder.
`write` updates the files of the course itself. nbgrader is imported only where it is used: learners do not need it.
"""
