"""History as a source of the stream: spooled in the order of arrival, then read with a watermark."""
