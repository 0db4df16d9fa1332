"""Training a network in full: recipes, checkpoints, learning curves; exactly resumable."""
