"""The rules of Route 53, once: the local cloud answers with them, the drill predicts with them."""
