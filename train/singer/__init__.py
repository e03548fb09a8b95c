"""The singer: turns the sung notes of a score into a singing voice.

- ``voices``: samples singers as :class:`VoiceSettings`; some voices are kept for the test split
- ``syllables``: consonants around a vowel, guessed from spelling
- ``schedule``: times of every vowel and consonant
- ``pitch_curve``, ``level_curve``: pitch and level over time
- ``perform``: a performance as pitch-track curves without audio, for cheap training examples
- ``speech``: speaks words by espeak-ng; ``world``: analysis and synthesis by WORLD; ``words``: finds each
  note's syllable in the speech; ``timbre``: changes its sound
- ``sing``: a performance as audio
- ``noise``, ``augment``: noises, rooms and microphones
- ``render``: renders many songs to FLAC files; ``demo``: makes the demo vocal
"""
