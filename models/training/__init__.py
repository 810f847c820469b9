"""Training of the multi-view network: clips to learn from, what is learnt, the loop, and few-step students."""
