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

What is done:

- :mod:`~appliance.watch.daemon`: the loop; :mod:`~appliance.watch.rendering`: the job at work;
  :mod:`~appliance.watch.putting_away`: where the vocal goes;
  :mod:`~appliance.watch.pauses`: why nothing starts
- :mod:`~appliance.watch.engine_keeper`: which engine runs, with the pack that
  :mod:`~appliance.watch.chosen_pack` names;
  :mod:`~appliance.watch.worker`: the engine child as the daemon sees it;
  :mod:`~appliance.watch.engine_child`: the process that renders;
  :mod:`~appliance.watch.decoding`, :mod:`~appliance.watch.decode_child`: the one that opens a recording
- :mod:`~appliance.watch.publishing`: the order of effects; :mod:`~appliance.watch.moving`,
  :mod:`~appliance.watch.folders`, :mod:`~appliance.watch.kernel`: files and names, so that none is lost
- :mod:`~appliance.watch.outlets`: systemd, Prometheus; :mod:`~appliance.watch.hooks`,
  :mod:`~appliance.watch.logs`, :mod:`~appliance.watch.reasons`: commands, lines and texts about what happened
"""
