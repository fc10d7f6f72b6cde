"""Normal running and faults: readers, a simulated machine, and the types that keep the two apart."""
