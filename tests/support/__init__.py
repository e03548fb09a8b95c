"""What tests share: packs, checkpoints, vocals and songs that are made in a moment.

- ``vocals``: singing made of sines; ``readings``: what a composer would have heard; ``tunes``: a short tune
- ``fake_pack``: a tiny pack with the real graphs' names and shapes; ``small_render``: a small render
- ``tiny_checkpoint``: tiny networks; ``tiny_samples``: samples for them; ``tiny_cache``: made-up songs
- ``tiny_song``: a song of block chords
- ``quantised``: reads what quantisation wrote; ``pickle_trap``: a pickle that must not be opened
- ``fake_evaluation``: songs, singers and ears for the evaluation
- ``canned_bench``: figures of a bench that never ran; ``made_up_bench``: a processor that is made up
- ``runtime_alone``: the appliance without the build side; ``obeying_modes``: root as any other user
- ``signer``: signs as minisign does; ``bundle_stand_in``: a release of a few bytes
- ``pages``: commands in the pages of the project
- ``watch``: the watched folder; ``releases``: installations; ``machine``: machines with systemd
- ``skips``: which tests were skipped, and why
"""
