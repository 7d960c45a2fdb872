"""`make demo`: a whole campaign in a simulated world, from an empty machine to verified webhooks."""
