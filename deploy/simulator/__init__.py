"""The outside world of Trunkline in one process: carrier, providers, people and a webhook receiver.

It speaks the vendors' wire protocols on loopback with real audio and imports nothing of Trunkline.
"""
