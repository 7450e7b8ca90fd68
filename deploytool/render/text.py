"""Small helpers for text in every output."""


def quantity(count: int, noun: str) -> str:
    """Return a number with its noun, which takes an `s` in the plural."""
    plural = "" if count == 1 else "s"
    return f"{count} {noun}{plural}"


def shortened(text: str, width: int) -> str:
    """Return the text, cut with an ellipsis when it is longer than `width` characters."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "…"
