"""What is kept: the protocol of storages, and where they are opened."""
