"""Forms: built from the engine's option models, checked by the engine, so a new option needs no form of its own."""
