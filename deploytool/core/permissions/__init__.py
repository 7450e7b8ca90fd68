"""Which permissions CloudFormation needs for resource types, and which of them a role has. Pure."""
