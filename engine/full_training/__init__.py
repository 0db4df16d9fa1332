"""Full training of a network: recipes, checkpoints, learning curves, exact resumption."""
