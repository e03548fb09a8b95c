"""Installations under test: stand-ins, packs to carry, altered bundles."""
