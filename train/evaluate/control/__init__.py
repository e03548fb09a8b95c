"""Whether control is obeyed and whole songs hold together, measured on songs of a held-out split.

`subjects` sings songs without sound and composes takes; `tempo`, `chords`, `key`, `styles`, `form` and
`confidence` each measure one promise; `report` runs them all and writes Markdown and JSON.
"""
