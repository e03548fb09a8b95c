"""The singer: a score's sung notes become a singing voice.

- ``voices``: who sings: :class:`VoiceSettings`, sampled; some voices are kept for the test alone
- ``syllables``: consonants around a vowel, guessed from spelling
- ``schedule``: when every vowel and consonant sounds
- ``pitch_curve``, ``level_curve``: how a singer gets from note to note
- ``perform``: all of it as pitch-track curves, without sound: cheap training examples
- ``speech``: espeak-ng speaks the words; ``world``: takes them apart and puts frames together; ``words``:
  finds each note's syllable in them; ``timbre``: bends their sound
- ``sing``: the recording
- ``noise``, ``augment``: hum and chatter, rooms and microphones
- ``render``: many songs to FLAC files; ``demo``: the demo vocal again
"""
