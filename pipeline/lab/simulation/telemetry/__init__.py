"""Events as arrays, what becomes of them on their way, and the files they end in."""
