"""How fast it is, on which processor: a mask for older generations and a stopwatch."""
