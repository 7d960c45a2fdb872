"""The media worker: one event loop, its slots, the stream listener, the heartbeat and the drain."""
