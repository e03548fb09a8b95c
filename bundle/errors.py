"""What can go wrong while a bundle is made."""

from __future__ import annotations

from appliance.errors import BacklineError


class BundleError(BacklineError):
    """The bundle cannot be made; one sentence says why and what to do."""
