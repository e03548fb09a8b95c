"""The singer: a score's sung notes become a singing voice.

- :mod:`voices` who sings: :class:`VoiceSettings`, sampled; some voices are kept for the test alone
- :mod:`syllables` consonants around a vowel, guessed from spelling
- :mod:`schedule` when every vowel and consonant sounds
- :mod:`pitch_curve` and :mod:`level_curve` how a singer gets from note to note
- :mod:`perform` all of it as pitch-track curves, without sound: cheap training examples
- :mod:`speech` espeak-ng speaks the words; :mod:`world` takes them apart and puts frames
  together; :mod:`words` finds each note's syllable in them; :mod:`timbre` bends their sound
- :mod:`sing` the recording
- :mod:`noise` and :mod:`augment` hum and chatter, rooms and microphones
- :mod:`render` many songs to FLAC files
"""
