"""Training data: songs, arrangements, plans, vocal features and latents, cached as arrays.

- ``song_cache``: one ``.npz`` per song with notes of every style, beats, key, plan and chords
- ``chord_sequences``: the chords of a song, beat by beat
- ``written_chords``: the same as targets of the chord network
- ``dial_statistics``: what songs and bars of each style do, for the dials; ``shown_dials``: what a window is
  shown of it
- ``rhythm_phrases``: phrases for the pack's rhythm bank
- ``originals``: the written accompaniments, with which takes are compared; ``surprise``: how surprising each
  of their onsets is; ``copy_limits``: how near unrelated songs are to them; ``planted_copies``: tests that
- ``drum_patterns``: bars of human drumming
- ``crops``: crops of rolls for the score VAE; ``windows``: windows for the denoiser
- ``melodies``: vocal features of every song, sung
- ``plans``: plans predicted by the planner; ``targets``: what the planner learns
- ``latents``: the songs as latents
- ``pairs``: vocals with true and wrong accompaniments for the fit network; ``damage``: makes accompaniments
  worse; ``quality``: scores them; ``rhythm``: a part of that score
- ``renders``: excerpts played by the band
"""
