"""What a model did, as data: the schema of a log, the plan that codes it, the summary that adds, the question."""
