"""Lets people hear and see what a pack does with one vocal.

- ``renders``: every style and three takes, rendered as the appliance does
- ``excerpts``: short sound files of them
- ``piano_rolls``: a picture of the takes
- ``page``: a page that links both
"""
