"""The bare route that POST /v1/calls is compared with: Flask, the same pydantic model, one INSERT, one commit.

No keys, no quota, no ledger, no timeline, no look for room. Reads DATABASE_URL; the bench makes the table.
"""

import os
from uuid import uuid4

from flask import Flask, Response, request
from sqlalchemy import create_engine, text

from schema.calls import CreateCall

CONNECTIONS = 10
_INSERT = text("insert into bare_calls (id, config, created_at) values (:id, cast(:config as jsonb), now())")

app = Flask(__name__)
_engine = create_engine(os.environ["DATABASE_URL"], pool_size=CONNECTIONS, max_overflow=CONNECTIONS)


@app.post("/v1/calls")
def create_call() -> Response:
    """Write a call down."""
    body = CreateCall.model_validate_json(request.get_data())
    call_id = uuid4()
    with _engine.begin() as connection:
        connection.execute(_INSERT, {"id": call_id, "config": body.model_dump_json(exclude_unset=True)})
    return Response(f'{{"call_id":"{call_id}","status":"queued"}}', status=201, mimetype="application/json")
