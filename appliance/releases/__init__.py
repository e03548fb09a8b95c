"""Releases and packs of an installed appliance: brought in, tried, switched to, taken back.

Every release is a folder of its own; which one runs is a link, changed in one step. So a power cut leaves the
old release or the new one, and what does not prove itself is taken back by itself.

- :mod:`~appliance.releases.layout`: where everything lies; :mod:`~appliance.releases.versions`: which is
  older; :mod:`~appliance.releases.lock`: one change at a time; :mod:`appliance.durable`: names that change in
  one step
- :mod:`~appliance.releases.tree`: what a release consists of, and whether it is whole
- :mod:`~appliance.releases.bring_in`: a file from a USB stick, verified and unpacked
- :mod:`~appliance.releases.activate`: tried, switched to, kept or taken back, by way of
  :mod:`~appliance.releases.self_test`, :mod:`~appliance.releases.switch`, :mod:`~appliance.releases.health`
- :mod:`~appliance.releases.settle`: what was left over when somebody pulled the plug
- :mod:`~appliance.releases.system`: units, user and folders; :mod:`~appliance.releases.uninstall`: all gone
- :mod:`~appliance.releases.packs`: the packs beside the release; :mod:`~appliance.releases.carried_pack`: one
  in a file; :mod:`~appliance.releases.plain_tar`: the files in that file
"""
