"""What is judged.

- ``renderers``: a pack as a renderer, with parts switched off
- ``torch_graphs``: networks in torch behind the calls of a pack's graphs; ``torch_sound``: the audio networks
- ``midi_notes``: a MIDI file as notes in seconds
"""
