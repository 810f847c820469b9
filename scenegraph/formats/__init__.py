"""Public driving-data formats: one module each."""
