"""Training-free proxies, one idea per module; `engine.proxies` lists them."""
