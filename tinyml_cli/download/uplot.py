"""uPlot, the studio's charts: one pin for downloads and for setup.py, hence the standard library alone."""

ADDRESS = "npm:uplot@1.6.32"
VERSION = "1.6.32"
SIZE_BYTES = 164_279
SHA256 = "4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d"
LICENCE = "MIT"
FOLDER = "uplot-1.6.32"
INSIDE = "package"
FILES = ("dist/uPlot.esm.js", "dist/uPlot.min.css")
LICENCE_FILE = "LICENSE"
