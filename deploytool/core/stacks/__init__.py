"""CloudFormation stacks as values, and the plan that changes them."""
