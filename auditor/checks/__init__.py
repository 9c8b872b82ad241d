"""Pure functions that judge: one kind of question each."""
