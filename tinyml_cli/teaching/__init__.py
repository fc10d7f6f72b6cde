"""Words taught in a few takes, without training: prototypes on the shipped word embedding."""
