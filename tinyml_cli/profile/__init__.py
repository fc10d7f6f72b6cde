"""The cost of an inference, by operator: instructions, cycles, time, energy, memory."""
