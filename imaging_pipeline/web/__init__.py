"""The web page: what people do with the database in a browser; every change is a function of `schemas`."""
