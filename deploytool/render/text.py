"""Small helpers for text in every output."""


def quantity(count: int, noun: str) -> str:
    """Return a number with its noun, which takes an `s` in the plural."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}s"


def shortened(text: str, width: int) -> str:
    """Return the text, cut with an ellipsis when it is longer than `width` characters."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "…"
