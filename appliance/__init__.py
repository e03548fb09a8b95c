"""The runtime: a vocal recording goes in, a full accompaniment comes out. Never imports torch."""
