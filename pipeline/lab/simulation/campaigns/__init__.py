"""What is planted: malicious campaigns and harmless changes, with their labels."""
