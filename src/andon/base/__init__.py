"""What every room stands on: errors, times, canonical bytes, predicates."""
