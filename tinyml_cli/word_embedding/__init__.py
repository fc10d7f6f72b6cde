"""The shipped word embedding: a second of sound as 64 numbers, by whose angles words can be compared."""
