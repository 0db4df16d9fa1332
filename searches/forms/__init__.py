"""Forms: built from the engine's option models, checked by the engine, so that a new option needs no form of its own."""
