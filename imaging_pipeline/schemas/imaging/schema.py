"""The schema object that every page of the imaging schema shares."""

import datajoint as dj

schema = dj.Schema()
