"""What the bodies of requests may hold, one module for each resource."""
