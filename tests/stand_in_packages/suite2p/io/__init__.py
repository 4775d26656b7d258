"""What reads tifs."""
