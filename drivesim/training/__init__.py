"""Training of small weights: random scenarios, clips of the reference world, and the stages from there to weights."""
