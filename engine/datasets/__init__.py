"""Images and labels: what the networks of a search train on."""
