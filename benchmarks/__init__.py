"""What deploytool and its peers take for the same work, on local clouds with AWS-like durations:
`python -m benchmarks`.
"""
