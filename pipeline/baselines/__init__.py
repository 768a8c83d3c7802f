"""What one run hands to the next: snapshots and what a stream learned; read, written and taken."""
