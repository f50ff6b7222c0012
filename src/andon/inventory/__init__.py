"""The models an organisation answers for: their columns, versions and changes."""
