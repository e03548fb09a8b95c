"""Composes the notes of a band for a vocal.

- ``wishes``: the user's requests, and how to add one
- ``reading``: what is known of a vocal before a take is composed
- ``composer``: listens, plans, denoises and decodes
- ``latent_drawing``: the denoiser over a whole song
- ``takes``: several accompaniments of one vocal, sorted by fit
- ``joint_choice``: chooses their seeds so that they differ
- ``beat_tracker``: beats and bars from the planner's activations; ``beat_evidence``, ``steady_beats``,
  ``following_beats``, ``tempo_sections``: its parts
- ``bars``: the meter, where bars begin, whether beats are divided in three
- ``key_request``: composes in a key that the user requests
- ``plan_chart``: converts the harmony plan to a chord chart and back
- ``plan_variation``: the harmony plan of one take; ``take_plans``: its rhythm plan and dials
- ``chosen_harmony``: the chords of the song, and those that a take draws
- ``harmony``: chords around those that are fixed; ``chord_sequence``: the best sequence of them
- ``borrowed_rhythm``: the rhythm of a take, from the pack's rhythm bank
- ``dials``: the settings of the dials of one take; ``sections``: whether the song has the asked bars
- ``manner``: what a take may know of a reference; ``manner_reading``: reads it from notes
- ``reference``: reads it from a MIDI file; ``band_beats``: the beats of a recorded band
- ``shaping``: makes the notes obey the dials
- ``sampler``: the solver of the rectified flow
- ``windows``: splits a song into overlapping windows
- ``band_rules``: what a band does after decoding; ``drum_keeping``, ``drum_fills``,
  ``drum_feel``, ``walking_bass``: its parts
- ``sung_rests``: where the singer rests
- ``fit``: how well an accompaniment suits its vocal
"""
