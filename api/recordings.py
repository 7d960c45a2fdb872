"""Recordings as files: only what lies in the recordings folder is sent, whole or by range.

Media workers write <their recordings folder>/<account>/<call>.wav. The web process may see the same folder under
another name, so of a stored path only the last two parts count.
"""

from pathlib import Path
from uuid import UUID

from flask import Response, send_file

from dispatcher.refusals import Missing

WAV = "audio/wav"


def recording_response(recordings_dir: Path, stored: str, call_id: UUID) -> Response:
    """Send the recording of a call.

    Raises:
        Missing: the file is not there, or lies elsewhere.
    """
    folder = recordings_dir.resolve()
    file = folder.joinpath(*Path(stored).parts[-2:]).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise Missing("Recording")
    return send_file(file, mimetype=WAV, download_name=f"{call_id}.wav", conditional=True)
