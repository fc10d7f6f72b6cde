"""`tinyml studio`: a local web page over the data and the runs of a folder."""
