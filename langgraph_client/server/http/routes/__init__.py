"""The functions behind the endpoints, one module for each resource."""
