"""What a federated training leaves in its run."""

FEDERATION = "report/federation.json"
"""The key `federation` of the --json output of `tinyml federate`."""
FEDERATION_PICTURE = "report/federation.png"
FEDERATION_SECTION = "report/federation.html"
"""For the report of `tinyml evaluate`."""
