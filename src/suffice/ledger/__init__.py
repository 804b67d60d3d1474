"""What happened and what it cost. It never makes a request wait for a disk."""
