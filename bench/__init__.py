"""What is promised about speed, measured as ratios to a floor in the same run."""
