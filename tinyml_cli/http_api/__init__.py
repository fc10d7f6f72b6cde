"""An HTTP API over a folder of this computer: table of endpoints, guard, OpenAPI, sockets."""
