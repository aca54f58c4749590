"""What goes wrong and is the caller's to put right."""


class Trouble(Exception):
    """One sentence that says what is wrong, and what would be right."""
