"""The commands of ``python -m train``, by what they are about."""
