"""Machines with real systemd, booted for a test.

- ``hosts``: the systems that they boot, and what a short run takes
- ``machine``: one of them; ``base_system``: what it is made of; ``bundles``: the bundles it gets;
  ``older``: the bundle of an older release
- ``bare``: one that had nothing of ours; ``studio``: Backline inside one
- ``probe``: a hook that tries what must be impossible; ``steps``: a command that stands still at each step
"""
