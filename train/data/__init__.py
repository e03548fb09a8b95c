"""What training reads: a cache of songs, arrangements, plans, vocal features and latents as arrays.

- ``song_cache``: one ``.npz`` a song: notes of every style, beats, key, plan
- ``crops``: windows of rolls cut from it; ``windows``: windows of everything else
- ``melodies``: every song sung, as vocal features; ``damage``: noise and errors in them
- ``plans``: the planner's view of the songs; ``targets``: what the planner learns
- ``latents``: the songs as latents
- ``pairs``: true and false accompaniments for the fit network; ``quality``: how good each is; ``rhythm``: a
  part of that
- ``renders``: excerpts played by the band
"""
