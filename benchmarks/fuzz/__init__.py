"""Bad input: mutates the files, arguments and variables that deploytool reads, and runs it."""
