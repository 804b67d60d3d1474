"""The data plane: the life of one request. It holds no policy."""
