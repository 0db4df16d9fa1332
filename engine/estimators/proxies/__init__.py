"""Training-free proxies, one idea a module; `engine.proxies` lists them."""
