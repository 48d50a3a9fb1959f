"""The table of calls that every MCP client goes through, `calls.json`, and what is checked of it."""

import json
import os
import pathlib
import subprocess

TABLE = pathlib.Path(__file__).with_name("calls.json")


def load():
    return json.loads(TABLE.read_text(encoding="utf-8"))


def filled(value, kept):
    """Returns a value with `$name` replaced by what was kept under that name."""
    if isinstance(value, str):
        return kept.get(value[1:], value) if value.startswith("$") else value
    if isinstance(value, list):
        return [filled(each, kept) for each in value]
    if isinstance(value, dict):
        return {key: filled(each, kept) for key, each in value.items()}
    return value


def at(value, pointer):
    """Returns what a JSON pointer names."""
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def commit(agent, files):
    """Commits these files in the worktree of an agent."""
    directory = os.environ[agent.upper()]
    env = {**os.environ, "REFLECTT_AGENT": agent}
    for name, text in files.items():
        path = pathlib.Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git = lambda *args: subprocess.run(["git", "-C", directory, *args], check=True, env=env)
    git("add", "-A")
    git("commit", "-q", "-m", "work")


def elsewhere(directory, *args):
    """Runs the program in a process of its own, as another agent than the server's."""
    env = {**os.environ, "REFLECTT_AGENT": "link"}
    command = [os.environ["REFLECTT"], "-C", directory, *args]
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


def judge(step, kept, failed, content):
    """Checks what came of a step, and keeps what later steps need."""
    name = f"{step['as']}: {step['tool']} {json.dumps(step['arguments'])}"
    assert isinstance(content, dict), f"{name}: {content!r} is no structured content"
    assert failed == step.get("fails", False), f"{name}: {json.dumps(content)}"
    if failed:
        assert content["error"]["message"], f"{name}: {json.dumps(content)}"
    for pointer, wanted in filled(step.get("expect", {}), kept).items():
        assert at(content, pointer) == wanted, f"{name}: {pointer}: {json.dumps(content)}"
    for key, pointer in step.get("keep", {}).items():
        kept[key] = at(content, pointer)
