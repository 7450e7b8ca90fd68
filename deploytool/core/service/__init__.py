"""One deployed stage of an API in two regions, and what a check learns about it."""
