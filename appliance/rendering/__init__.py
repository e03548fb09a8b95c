"""One job: from a vocal file to published files.

- ``job``: what is to be rendered
- ``render``: the order of the steps
- ``engine``: a pack made ready to render
- ``sound_files``: from notes to accompaniment, mix and stems
- ``receipt``: what came in, what was understood, what was chosen, what came out
- ``publication``: all files of a render appear at once, or none
- ``stopwatch``: seconds a stage, share that is done
"""
