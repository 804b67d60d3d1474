"""The gateway side by side with nginx and with peers: CPU per request, latency, memory. `make bench`; docs/performance.md."""
