"""What tests share: packs, checkpoints, vocals and songs that are made in a moment."""
