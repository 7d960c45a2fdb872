"""Sound of one call as bytes: mu-law, frames, pacing, mixing, recording. Knows no provider and no conversation."""
