#!/usr/bin/env python3
"""Records what a coding harness hands to its hooks, and what it does with their answers.

    record.py HARNESS CASE PROGRAM [OUT]

Runs PROGRAM, the harness, in a repository of its own with a HOME of its own and `model.py` for a
model. Every hook is this file again, which stores what it got and answers what the case says. With
OUT, each payload is written there as `EVENT.json`, with neutral paths; otherwise all of it is
printed, with the model's requests.

A case is `{"turns": [...], "answers": {EVENT: [{"stdout": …, "stderr": …, "exit": …}, …]}}` in a
file; `answers` are taken in order, and none is an empty one.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()

# What each harness calls the moments at which `reflectt setup` has it ask.
EVENTS = {
    "claude": {
        "SessionStart": "session-start",
        "UserPromptSubmit": "prompt",
        "PreToolUse": "before-edit",
        "PostToolUse": "after-tool",
        "PostToolUseFailure": "after-tool-failure",
        "Stop": "stop",
        "SessionEnd": "session-end",
        "TeammateIdle": "teammate-idle",
        "TaskCompleted": "task-completed",
        "TaskCreated": "task-created",
        "SubagentStart": "subagent-start",
        "SubagentStop": "subagent-stop",
        "StopFailure": "stop-failure",
    },
    "codex": {
        "SessionStart": "session-start",
        "UserPromptSubmit": "prompt",
        "PreToolUse": "before-edit",
        "PostToolUse": "after-tool",
        "Stop": "stop",
        "SessionEnd": "session-end",
        "SubagentStart": "subagent-start",
        "SubagentStop": "subagent-stop",
    },
    "gemini": {
        "SessionStart": "session-start",
        "BeforeAgent": "prompt",
        "BeforeTool": "before-edit",
        "AfterTool": "after-tool",
        "AfterAgent": "stop",
        "SessionEnd": "session-end",
    },
    "copilot": {
        "sessionStart": "session-start",
        "userPromptSubmitted": "prompt",
        "preToolUse": "before-edit",
        "postToolUse": "after-tool",
        "postToolUseFailure": "after-tool-failure",
        "agentStop": "stop",
        "sessionEnd": "session-end",
    },
    "opencode": {},
}

# Variables that tell a hook who called it.
TELLING = ("CLAUDE", "CODEX", "GEMINI", "COPILOT", "CURSOR", "OPENCODE", "AGENT", "REFLECTT", "PWD")


def hook(store, event):
    """Stores one payload and answers."""
    store = pathlib.Path(store)
    payload = sys.stdin.read()
    number = len(list(store.glob("*.hook")))
    asked = len(list(store.glob(f"*-{event}.hook")))
    tells = lambda name: name.startswith(TELLING) and not name.endswith(("_TOKEN", "_KEY"))
    env = {name: value for name, value in os.environ.items() if tells(name)}
    seen = {"event": event, "stdin": payload, "env": env, "cwd": os.getcwd(), "at": time.time()}
    (store / f"{number:03}-{event}.hook").write_text(json.dumps(seen))
    answers = json.loads((store / "answers.json").read_text()).get(event, [])
    answer = answers[asked] if asked < len(answers) else {}
    time.sleep(answer.get("sleep", 0))
    sys.stdout.write(answer.get("stdout", ""))
    sys.stderr.write(answer.get("stderr", ""))
    sys.exit(answer.get("exit", 0))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=2))


def nested(harness, command, **more):
    """Returns hooks in the shape that Claude Code made, which others took over."""
    entry = lambda event: {"type": "command", "command": command(event), **more.get(event, {})}
    return {"hooks": {event: [{"hooks": [entry(event)]}] for event in EVENTS[harness]}}


def claude(place):
    write(place.repo / ".claude/settings.json", nested("claude", place.hook, **place.case.get("fields", {})))
    place.env |= {
        "ANTHROPIC_BASE_URL": place.url,
        "ANTHROPIC_API_KEY": "dummy",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    more = ["--output-format", "stream-json", "--include-hook-events", "--verbose"]
    return ["-p", "hi", "--permission-mode", "acceptEdits", *more, "--allowedTools", "Bash", *place.case.get("args", [])]


def codex(place):
    config = f"""model_provider = "mock"
[model_providers.mock]
name = "mock"
base_url = "{place.url}/v1"
wire_api = "responses"
env_key = "MOCK_KEY"
[projects."{place.repo}"]
trust_level = "trusted"
"""
    write(place.home / ".codex/config.toml", config)
    write(place.repo / ".codex/hooks.json", nested("codex", place.hook))
    place.env |= {"MOCK_KEY": "dummy", "CODEX_HOME": str(place.home / ".codex")}
    more = ["--json", "-m", "gpt-5.5", "-s", "workspace-write"]
    return ["exec", *more, "--dangerously-bypass-hook-trust", *place.case.get("args", []), "hi"]


def gemini(place):
    settings = nested("gemini", place.hook)
    write(place.repo / ".gemini/settings.json", settings)
    auth = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    write(place.home / ".gemini/settings.json", auth)
    write(place.home / ".gemini/trustedFolders.json", {str(place.repo): "TRUST_FOLDER"})
    place.env |= {"GEMINI_API_KEY": "dummy", "GOOGLE_GEMINI_BASE_URL": place.url}
    return ["-m", "gemini-2.5-flash", "-y", "-p", "hi"]


def copilot(place):
    entry = lambda event: [{"type": "command", "bash": place.hook(event), "timeoutSec": 20}]
    hooks = {"version": 1, "hooks": {event: entry(event) for event in EVENTS["copilot"]}}
    write(place.repo / ".github/hooks/record.json", hooks)
    place.env |= {
        "COPILOT_OFFLINE": "true",
        "COPILOT_ALLOW_ALL": "true",
        "COPILOT_PROVIDER_TYPE": "anthropic",
        "COPILOT_PROVIDER_BASE_URL": place.url,
        "COPILOT_PROVIDER_API_KEY": "dummy",
        "COPILOT_MODEL": "claude-sonnet-4.5",
    }
    return ["-p", "hi", "--allow-all-tools"]


OPENCODE = """
import { spawnSync } from "node:child_process"
const tell = (event, input) => spawnSync("python3", [HERE, "hook", STORE, event], { input: JSON.stringify(input) })
export const Record = async ({ client, directory, worktree }) => ({
  "chat.message": async (input, output) => { tell("prompt", { input, output }) },
  "experimental.chat.system.transform": async (input, output) => {
    tell("session-start", { input: Object.keys(input), sessionID: input.sessionID, output, directory, worktree })
    output.system.push("RECORDED-CONTEXT")
  },
  "tool.execute.before": async (input, output) => {
    const said = tell("before-edit", { input, output, directory, worktree })
    const text = String(said.stdout)
    if (text) throw new Error(text)
  },
  "tool.execute.after": async (input, output) => {
    tell("after-tool", { input, output })
    if (typeof output.output === "string") output.output += "\\nRECORDED-NOTE"
  },
  event: async ({ event }) => { if (event.type.startsWith("session.")) tell("event-" + event.type, { event }) },
})
"""


def opencode(place):
    script = f"const HERE = {json.dumps(str(HERE))}, STORE = {json.dumps(str(place.store))}\n{OPENCODE}"
    write(place.repo / ".opencode/plugins/record.js", script)
    options = {"baseURL": f"{place.url}/v1", "apiKey": "dummy"}
    config = {"model": "anthropic/claude-sonnet-4-5", "provider": {"anthropic": {"options": options}}}
    write(place.home / ".config/opencode/opencode.json", config)
    place.env |= {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
    return ["run", "hi"]


class Place:
    """Where one run takes place."""

    def __init__(self, harness, case, temp):
        self.case = case
        self.root = pathlib.Path(temp).resolve()
        self.repo, self.home, self.store = (self.root / name for name in ("repo", "home", "store"))
        for each in (self.repo, self.home, self.store):
            each.mkdir()
        self.names = EVENTS[harness]
        self.env = {"HOME": str(self.home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        self.env |= case.get("env", {})
        for name, text in case.get("files", {}).items():
            write(self.repo / name, text)
        git = lambda *args: subprocess.run(["git", *args], cwd=self.repo, check=True, env=self.env)
        git("init", "-q", "-b", "main")
        user = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        git(*user, "commit", "-q", "--allow-empty", "-m", "first")
        self.write_case()

    def write_case(self):
        text = json.dumps(self.case["turns"]).replace("{repo}", str(self.repo))
        (self.store / "turns.json").write_text(text)
        answers = self.case.get("answers", {})
        (self.store / "answers.json").write_text(json.dumps(answers))

    def hook(self, event):
        return f"python3 {HERE} hook {self.store} {self.names[event]}"

    def start_model(self):
        args = [sys.executable, str(HERE.with_name("model.py"))]
        args += [str(self.store / "turns.json"), str(self.store / "log")]
        self.model = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = f"http://127.0.0.1:{int(self.model.stdout.readline())}"

    def neutral(self, text):
        for path, neutral in ((self.repo, "/repo"), (self.home, "/home/ann")):
            # Some make a directory's name of it.
            flat = str(path).translate(str.maketrans("/_", "--"))
            text = text.replace(str(path), neutral).replace(flat, neutral.replace("/", "-"))
        return text


def run(harness, case_file, program, out=None):
    case = json.loads(pathlib.Path(case_file).read_text())
    with tempfile.TemporaryDirectory(prefix="record-", dir="/var/tmp") as temp:
        place = Place(harness, case, temp)
        place.start_model()
        args = globals()[harness](place)
        done = subprocess.run(
            [program, *args],
            cwd=place.repo,
            env=place.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        place.model.stdin.close()
        seen = [json.loads(f.read_text()) for f in sorted(place.store.glob("*.hook"))]
        if out:
            save(place, seen, pathlib.Path(out))
            return
        print(f"exit {done.returncode}\n--- stdout\n{done.stdout[-6000:]}\n--- stderr\n{done.stderr[-3000:]}")
        for each in seen:
            print(f"=== {each['event']} cwd {each['cwd']} env {json.dumps(each['env'])}\n{each['stdin']}")
        log = place.store / "log"
        for line in log.read_text().splitlines() if log.exists() else []:
            print("### " + line)
        files = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=place.repo, capture_output=True, text=True, check=True)
        print("files:", files.stdout.split())


def tool_of(payload):
    """Returns the name of the tool that a payload is about, if any."""
    call = payload.get("input")
    call = call if isinstance(call, dict) else {}
    return payload.get("tool_name") or payload.get("toolName") or call.get("tool")


def save(place, seen, out):
    """Writes each payload, by event and tool, and the variables that came with it."""
    out.mkdir(parents=True, exist_ok=True)
    for each in seen:
        payload = json.loads(place.neutral(each["stdin"]))
        name = each["event"]
        if tool := tool_of(payload):
            name += f"-{tool}"
        if payload.get("stop_hook_active"):
            name += "-again"
        write(out / f"{name}.json", json.dumps(payload, indent=2) + "\n")
    variables = json.loads(place.neutral(json.dumps(seen[0]["env"])))
    write(out / "environment.json", json.dumps(variables, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "hook":
        hook(sys.argv[2], sys.argv[3])
    else:
        run(*sys.argv[1:])
