"""The build side: scores become training examples, training examples become a checkpoint."""
