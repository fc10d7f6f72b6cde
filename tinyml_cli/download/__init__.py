"""Public data and voices, fetched once and checked."""
