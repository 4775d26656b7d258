"""What no reader may import: a pickle that names it is one that could name anything."""


def spring(*_arguments: object) -> str:
    """Return that a pickle called a function of its own choice."""
    return "a pickle called a function of its own choice"
