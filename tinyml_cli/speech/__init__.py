"""Words as sound: voices, their phonemes, and vocabularies."""
