"""How good is the music? Judged as audio, by models this repository did not train.

- ``evaluation``: a list of pieces and any renderer, judged
- ``judges``: what one hears: notes, chords
- ``measures``: harmony, consonance, rhythm, gap closed
- ``material``: songs and excerpts to judge
- ``players``: what is judged: a pack, or networks in torch
- ``quick``: the fast judge, without sound
- ``sound``: what is left of a recording after the latent
- ``pack``: what a pack is held to
- ``processes``: several processes, progress, remembered answers
- ``sections``: the report, section by section
- ``control``: are tempo, chords, key and style obeyed?
"""
