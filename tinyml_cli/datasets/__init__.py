"""What is done to a user's data: check, import, put aside, write."""
