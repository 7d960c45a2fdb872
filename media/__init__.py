"""How one live call sounds: carrier leg, pipeline, turn taking, recording. Knows no campaign, retry, quota or SQL."""
