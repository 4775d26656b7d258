"""The pages: one module each, all in `web.registry`."""
