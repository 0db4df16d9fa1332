"""The one schema of a search: form, API, YAML and command line all go through `SearchConfig.parse`."""
