"""Folders of two-photon calcium-imaging recordings into a DataJoint database."""
