"""Makes a new version of one take from its receipt: only what was named changes.

- ``request``: what to redo, in the words of the command
- ``change``: the same in the bars, seconds and seed of one take
- ``parent``: the take to redo, as its receipt and the files beside it tell
- ``source``: finds the vocal of a receipt
- ``notes``: composes the new notes and exchanges them at the borders of the bars
- ``sound``: plays what is new, and joins it to what stays
- ``redo``: the steps
"""
