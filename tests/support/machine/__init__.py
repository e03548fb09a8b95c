"""Machines with real systemd, booted for a test."""
