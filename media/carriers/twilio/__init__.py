"""Twilio: calls over its REST interface, audio over its bidirectional media stream."""
