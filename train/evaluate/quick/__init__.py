"""A fast judgement, to choose between models while they train.

- ``note_judgement``: composes validation songs from cached features and judges their notes
"""
