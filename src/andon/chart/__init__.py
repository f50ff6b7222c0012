"""Pictures from numbers: pure functions that give SVG as text, for the scan's page, the console and documents."""
