"""What each client needs to be told to use this gateway: facts and pure functions, no files and no processes."""
