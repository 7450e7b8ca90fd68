"""What `deploytool doctor` judges: each part of a setup, from values that were read before. Pure."""
