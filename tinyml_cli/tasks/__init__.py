"""What tinyml can learn: each task's own knowledge, behind one object (`spec.TaskSpec`)."""
