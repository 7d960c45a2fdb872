"""The outside world of a media bench at the least cost: phones, a realtime model, a recogniser, a chat model, a voice.

It speaks the same wire protocols as `deploy.simulator` but decodes no audio, so that one core of it can keep more calls
busy than the process under test can carry; what it sends carries a number, by which it knows how long anything took.
"""
