"""Who speaks when and what was heard, sans-I/O: events in, commands out, time is an argument."""
