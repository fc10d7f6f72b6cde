"""What surrounds the chip on the board: sensors, microphone, light."""
