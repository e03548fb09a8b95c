"""What is judged: packs, and networks in torch.

- ``renderers``: a pack as a renderer, with parts that can be switched off
- ``torch_graphs``: networks in torch with the interface of a pack's graphs; ``torch_sound``: the same for the
  audio networks
- ``midi_notes``: reads a MIDI file as notes in seconds
"""
