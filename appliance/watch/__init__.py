"""The watched folder: vocals dropped into an inbox become results in an outbox, and none is lost.

What is known, and what asks:

- :mod:`~appliance.watch.config`: settings; :mod:`~appliance.watch.sidecar`: settings beside a vocal
- :mod:`~appliance.watch.scan`: one look at the inbox; :mod:`~appliance.watch.settle`: what stands still;
  :mod:`~appliance.watch.stillness`: whether somebody may still write;
  :mod:`~appliance.watch.intake`: all of it together, from a look to the queue
- :mod:`~appliance.watch.journal`: every vocal and what became of it (:mod:`~appliance.watch.states`,
  :mod:`~appliance.watch.schema`); :mod:`~appliance.watch.recovery`: after a kill or a power cut
- :mod:`~appliance.watch.control`: asking the daemon over a socket; :mod:`~appliance.watch.telling`: what it
  and, while none runs, the journal tell
"""
