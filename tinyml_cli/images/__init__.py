"""Image files, folders, augmentation and collections."""
