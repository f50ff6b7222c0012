"""From summaries to findings: detectors, baselines, onset. Sees counts, never rows."""
