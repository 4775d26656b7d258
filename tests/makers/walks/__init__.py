"""What people of a small laboratory do in random order, and what must not be lost by it."""
