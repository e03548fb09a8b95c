"""What each part of the design is worth: small denoisers that differ in one thing each.

- :mod:`~train.ablation.variants`: what is compared with what;
- :mod:`~train.ablation.scale`: how small, how long, on how many songs;
- :mod:`~train.ablation.spectrum`: a latent of a recording's sound, instead of melodic features;
- :mod:`~train.ablation.recordings`: songs sung with sound for it, clean and in a noisy room;
- :mod:`~train.ablation.sources`: what a variant trains on and is judged on;
- :mod:`~train.ablation.experiment`: train one, measure its loss, judge its notes;
- :mod:`~train.ablation.reliance`: what a trained network uses the condition's two ways in for;
- :mod:`~train.ablation.run`: all of them, resumable;
- :mod:`~train.ablation.report`: tables, and what cannot be concluded.
"""
