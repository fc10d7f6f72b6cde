"""Sources of training data, splits and augmentation."""
