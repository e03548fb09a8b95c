"""What is left of music that goes through the latent and comes back as sound.

- ``trip``: there and back, judged
- ``report``: the page, its numbers and its pictures
"""
