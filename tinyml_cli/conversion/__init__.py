"""From a trained network to flatbuffers, by TensorFlow's converter."""
