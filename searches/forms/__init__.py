"""Forms, which are built from the engine's option models and checked by the engine. A new option needs no new form."""
