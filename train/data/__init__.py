"""What training reads: a cache of songs, arrangements, plans, vocal features and latents as arrays.

``song_cache``  one ``.npz`` a song: notes of every style, beats, key, plan
``crops``       windows of rolls cut from it
"""
