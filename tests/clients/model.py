#!/usr/bin/env python3
"""A model that is a script: what coding harnesses talk to when no model is to be paid for.

    model.py SCRIPT LOG

SCRIPT is a JSON list of turns, one taken by each request that offers tools, the last one again and
again: `{"tool": NAME, "input": {…}}`, `{"text": "…"}`, or `{"item": {…}}` for an output item of the
responses API as it is. An input that is a text is given as a custom tool's. Requests without tools
(titles, summaries) get a short text. LOG gets one JSON line for each request, with its body.

It speaks the messages API of Anthropic, the responses API of OpenAI and the API of Gemini, told
apart by the path. It listens on a port of 127.0.0.1 that it prints first, and ends when its
standard input does, so that a test that is killed leaves nothing behind.
"""

import http.server
import itertools
import json
import os
import sys
import threading
import zlib

# Gemini asks, without tools, who speaks next and which model to take, and wants an object.
NO_TOOLS = json.dumps(
    {
        "next_speaker": "user",
        "model_choice": "flash",
        "complexity_score": 1,
        "complexity_reasoning": "short",
        "reasoning": "short",
        "title": "a title",
    }
)


class Model:
    """The turns, and the log of what was asked."""

    def __init__(self, script, log):
        with open(script, encoding="utf-8") as file:
            self.turns = json.load(file)
        self.log = open(log, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.taken = 0
        self.numbers = itertools.count(1)

    def turn(self, path, body):
        """Logs a request and returns its number and its turn."""
        with self.lock:
            number = next(self.numbers)
            turn = {"text": NO_TOOLS}
            if body.get("tools"):
                turn = self.turns[min(self.taken, len(self.turns) - 1)]
                self.taken += 1
            line = {"path": path, "main": bool(body.get("tools")), "body": body}
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
        return number, turn


def events(pairs):
    """Returns server-sent events."""
    text = "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in pairs)
    return text.encode(), "text/event-stream"


def plain(value):
    return json.dumps(value).encode(), "application/json"


def anthropic(number, turn, body):
    if "tool" in turn:
        block = {"type": "tool_use", "id": f"toolu_{number:04}", "name": turn["tool"]}
        start, delta = {**block, "input": {}}, {
            "type": "input_json_delta",
            "partial_json": json.dumps(turn["input"]),
        }
        whole, reason = {**block, "input": turn["input"]}, "tool_use"
    else:
        start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": turn["text"]}
        whole, reason = {"type": "text", "text": turn["text"]}, "end_turn"
    message = {
        "id": f"msg_{number:04}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    if not body.get("stream"):
        return plain({**message, "content": [whole], "stop_reason": reason})
    stop = {"stop_reason": reason, "stop_sequence": None}
    steps = [
        ("message_start", {"message": message}),
        ("content_block_start", {"index": 0, "content_block": start}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": stop, "usage": {"output_tokens": 5}}),
        ("message_stop", {}),
    ]
    return events((kind, {"type": kind, **data}) for kind, data in steps)


def openai(number, turn, body):
    call = {"call_id": f"call_{number:04}", "id": f"item_{number:04}"}
    if "item" in turn:
        item = {**turn["item"], **call}
    elif "tool" not in turn:
        content = [{"type": "output_text", "text": turn["text"]}]
        item = {"type": "message", "role": "assistant", "id": call["id"], "content": content}
    elif isinstance(turn["input"], str):
        item = {"type": "custom_tool_call", "name": turn["tool"], "input": turn["input"], **call}
    else:
        arguments = json.dumps(turn["input"])
        item = {"type": "function_call", "name": turn["tool"], "arguments": arguments, **call}
    usage = {
        "input_tokens": 1,
        "input_tokens_details": None,
        "output_tokens": 1,
        "output_tokens_details": None,
        "total_tokens": 2,
    }
    response = {"id": f"resp_{number:04}", "object": "response", "model": body.get("model")}
    item["status"] = "completed"
    place = {"output_index": 0, "item_id": call["id"]}
    begun = {**response, "status": "in_progress", "output": []}
    done = {**response, "status": "completed", "output": [item], "usage": usage}
    steps = [
        ("response.created", {"response": begun}),
        ("response.output_item.added", {**place, "item": item}),
        ("response.output_item.done", {**place, "item": item}),
        ("response.completed", {"response": done}),
    ]
    steps = [(kind, {"sequence_number": at, **data}) for at, (kind, data) in enumerate(steps)]
    return events((kind, {"type": kind, **data}) for kind, data in steps)


def gemini(path, turn):
    part = {"text": turn.get("text")}
    if "tool" in turn:
        part = {"functionCall": {"name": turn["tool"], "args": turn["input"]}}
    content = {"role": "model", "parts": [part]}
    counts = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    answer = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": counts,
    }
    if "stream" not in path:
        return plain(answer)
    return f"data: {json.dumps(answer)}\r\n\r\n".encode(), "text/event-stream"


def answer(model, path, body):
    """Returns the bytes and the content type of what a model would have said."""
    if "count_tokens" in path or "countTokens" in path:
        return plain({"input_tokens": 10, "totalTokens": 10})
    number, turn = model.turn(path, body)
    if "/messages" in path:
        return anthropic(number, turn, body)
    if "/responses" in path:
        return openai(number, turn, body)
    if "enerateContent" in path:
        return gemini(path, turn)
    return plain({})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model = None

    def log_message(self, *_args):
        pass

    def give(self, data, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_GET(self):
        self.give(*plain({"data": [], "models": []}))

    do_HEAD = do_GET

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("content-encoding") == "gzip":
            data = zlib.decompress(data, 31)
        try:
            body = json.loads(data or b"{}")
        except ValueError:
            body = {}
        self.give(*answer(self.model, self.path, body if isinstance(body, dict) else {}))


def main():
    Handler.model = Model(sys.argv[1], sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
