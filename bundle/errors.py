"""The error that stops a build."""

from __future__ import annotations

from appliance.errors import BacklineError


class BundleError(BacklineError):
    """A release, pack or check failed on the build machine; the message says why and what to do."""
