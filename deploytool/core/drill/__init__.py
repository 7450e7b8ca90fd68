"""What a drill is, what it recorded and how that is judged: pure."""
