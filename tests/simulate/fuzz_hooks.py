"""How schemathesis writes the bodies of events: text as it is, or, where the text says so, events with a flaw."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_, value):
    text = value if isinstance(value, str) else json.dumps(value)
    event = {"id": text[:40], "ts": "2026-03-01T00:00:00Z", "model_id": text[40:] or "m", "output": text}
    content = json.dumps(event) if len(text) % 2 else text
    return content.encode("utf-8", "surrogatepass")


@schemathesis.serializer("application/vnd.apache.arrow.stream")
def arrow(_, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
