"""The schemas of request bodies and responses, one module for each resource."""
