"""Shared helpers of tests: small packs, checkpoints, vocals and songs.

- ``vocals``: singing made of sines; ``tunes``: a short tune; ``recordings``: a chirp in each container
- ``streams``: singing in a container, read to its end or refused
- ``readings``: hand-made readings of a vocal; ``chord_hearing``: a chord network that hears what it is told;
  ``plain_song``: one with bars, and a plain score for it
- ``fake_pack``: a tiny pack with the real graphs' names and shapes; ``composing_pack``: with a chord network;
  ``small_render``: a small render
- ``references``: small MIDI files for ``--like``
- ``random_band``: notes that differ with the seed; ``redone_files``: what a redo left as it was;
  ``bends``: clicks
- ``tiny_checkpoint``: tiny networks; ``tiny_samples``: samples for them; ``tiny_cache``: made-up songs
- ``made_up_songs``: songs of random notes, as originals
- ``tiny_song``: a song of block chords; ``small_corpus``: a corpus of one file
- ``quantised``: reads what quantisation wrote; ``pickle_trap``: a pickle that must not be opened
- ``fake_evaluation``: fake songs, singers and judges; ``fake_facts``: made-up facts of a report
- ``canned_bench``: made-up results of the bench; ``made_up_bench``: a simulated CPU for tuning
- ``runtime_alone``: the appliance without the build side; ``obeying_modes``: root as any other user
- ``signer``: signs as minisign does; ``bundle_stand_in``: a release of a few bytes
- ``pages``: commands in the pages of the project
- ``watch``: the watched folder; ``releases``: installations; ``machine``: machines with systemd
- ``skips``: which tests were skipped, and why
"""
