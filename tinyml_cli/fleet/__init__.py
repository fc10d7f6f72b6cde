"""A fleet: devices behind gateways, what they run, how they do, and releases that reach them in stages."""
