"""One condition language: read, compiled to SQL, judged in plain Python, explained."""
