"""Images and labels on which the networks of a search train."""
