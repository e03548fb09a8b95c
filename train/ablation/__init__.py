"""What each part of the design is worth: small denoisers that differ in one thing each.

- ``variants``: what is compared with what
- ``scale``: how small, how long, on how many songs
- ``spectrum``: a latent of a recording's sound, instead of melodic features
- ``recordings``: songs sung with sound for it, clean and in a noisy room
- ``sources``: what a variant trains on and is judged on
- ``experiment``: train one, measure its loss, judge its notes
- ``reliance``: what a trained network uses the condition's two ways in for
- ``run``: all of them, resumable
- ``report``: tables, and what cannot be concluded
"""
