"""TinyML as a service: jobs, online and streaming inference over HTTP."""
