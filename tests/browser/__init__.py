"""Pages in a real browser, headless Chromium: `make test-report`."""
