"""What the end-to-end tests are made of: programs to start, nodes to put behind Ringwall, clients to put in front."""
