"""The verbs that a run goes through, and the pipeline that strings them together."""
