"""Whether what a board sees is still what its model was made for."""
