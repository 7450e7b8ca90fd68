"""Floor 3: the ports on AWS. The only place that knows botocore."""
