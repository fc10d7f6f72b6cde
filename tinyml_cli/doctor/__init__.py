"""What this computer and its board have, and how to get what they lack."""
