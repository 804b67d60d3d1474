"""Wire formats of clients and providers. Pure: no I/O, no routing, no money."""
