"""Pages: shells that read the REST API, and the forms."""
