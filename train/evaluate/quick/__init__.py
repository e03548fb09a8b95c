"""The fast judge, for choosing between models while they train.

- ``note_judgement``: validation songs composed from cached features and judged on their notes
"""
