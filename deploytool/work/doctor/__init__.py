"""What `deploytool doctor` looks at: each check is a function of its own, and changes nothing."""
