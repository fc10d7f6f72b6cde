"""What an inference costs, by operator: instructions, cycles, time, energy, memory."""
