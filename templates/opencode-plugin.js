// Written by `reflectt setup`, which brings it up to date; write your own in another file.
//
// It asks `reflectt hook agent EVENT --harness opencode`, which reads one JSON object and answers
// with {"deny": REASON}, {"context": TEXT} or {}. Where the program is missing, or fails, nothing
// happens: no session may end because of it.
import { spawn } from "node:child_process"

const EDITS = new Set(["edit", "write", "patch", "apply_patch", "multiedit"])
const MILLISECONDS = 10_000

const ask = (event, input) =>
  new Promise((resolve) => {
    const nothing = () => resolve({})
    try {
      const args = ["hook", "agent", event, "--harness", "opencode"]
      const child = spawn("reflectt", args, { cwd: input.cwd, stdio: ["pipe", "pipe", "ignore"] })
      const timer = setTimeout(() => (child.kill(), nothing()), MILLISECONDS)
      let answer = ""
      child.on("error", () => (clearTimeout(timer), nothing()))
      child.stdout.on("data", (data) => (answer += data))
      child.on("close", () => {
        clearTimeout(timer)
        try {
          resolve(JSON.parse(answer) ?? {})
        } catch {
          nothing()
        }
      })
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify({ event, ...input }))
    } catch {
      nothing()
    }
  })

export const Reflectt = async ({ client, directory }) => {
  // What each session was told at its start: the system prompt is made anew for every request.
  const started = new Map()
  const about = (session, more) => ({ session_id: session, cwd: directory, ...more })

  return {
    "experimental.chat.system.transform": async (input, output) => {
      const session = input?.sessionID ?? ""
      if (!started.has(session)) started.set(session, ask("session-start", about(session)))
      const { context } = await started.get(session)
      if (context) output.system.push(context)
    },

    "chat.message": async (input, output) => {
      const { context } = await ask("prompt", about(input.sessionID))
      const text = output.parts?.findLast?.((part) => part.type === "text")
      if (context && text) text.text += `\n\n${context}`
    },

    "tool.execute.before": async (input, output) => {
      if (!EDITS.has(input.tool)) return
      const tool = { tool_name: input.tool, tool_input: output.args, tool_use_id: input.callID }
      const { deny } = await ask("before-edit", about(input.sessionID, tool))
      if (deny) throw new Error(deny)
    },

    "tool.execute.after": async (input, output) => {
      const args = input.args ?? {}
      const tool = { tool_name: input.tool, tool_input: args, tool_use_id: input.callID }
      const { context } = await ask("after-tool", about(input.sessionID, tool))
      // A tool of an MCP server has none.
      if (context && typeof output?.output === "string") output.output += `\n\n${context}`
    },

    event: async ({ event }) => {
      if (event.type === "session.deleted") {
        const session = event.properties?.info?.id
        started.delete(session)
        await ask("session-end", about(session))
      }
      if (event.type !== "session.idle") return
      const session = event.properties?.sessionID
      try {
        // A session that another one has started reports to that one.
        const { data } = await client.session.get({ path: { id: session } })
        if (data?.parentID) return
        const { context } = await ask("stop", about(session))
        if (!context) return
        const body = { parts: [{ type: "text", text: context }] }
        await client.session.promptAsync({ path: { id: session }, body })
      } catch {
        // An idle session that cannot be reached stays idle.
      }
    },
  }
}
