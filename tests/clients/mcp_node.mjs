// Goes through all of `reflectt mcp` with the TypeScript SDK of the protocol.
//
//     node mcp_node.mjs
//
// `$REFLECTT`, `$KAI` and `$LINK` as in `mcp_python.py`; `$MODULES` is the directory in which npm
// has installed the SDK. It knows the lifecycle that begins with `initialize` only.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(join(process.env.MODULES, "package.json"))
const { Client } = require("@modelcontextprotocol/sdk/client/index.js")
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js")
const { ResourceUpdatedNotificationSchema } = require("@modelcontextprotocol/sdk/types.js")
const { Ajv2020 } = require("ajv/dist/2020.js")

const SECONDS = 20
const ajv = new Ajv2020({ strict: true, allErrors: true })
const directory = (agent) => process.env[agent.toUpperCase()]
const shown = (value) => JSON.stringify(value)

function filled(value, kept) {
  if (typeof value === "string") return value.startsWith("$") ? (kept[value.slice(1)] ?? value) : value
  if (Array.isArray(value)) return value.map((each) => filled(each, kept))
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, kept)]))
  }
  return value
}

const at = (value, pointer) => pointer.split("/").slice(1).reduce((inner, part) => inner?.[part], value)

function commit(agent, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory(agent), name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (const args of [["add", "-A"], ["commit", "-q", "-m", "work"]]) {
    execFileSync("git", ["-C", directory(agent), ...args], { env: { ...process.env, REFLECTT_AGENT: agent } })
  }
}

async function connect(agent) {
  const client = new Client({ name: "mcp_node", version: "1" })
  await client.connect(
    new StdioClientTransport({
      command: process.env.REFLECTT,
      args: ["mcp"],
      cwd: directory(agent),
      env: { ...process.env, REFLECTT_AGENT: agent },
    }),
  )
  const { tools } = await client.listTools()
  for (const tool of tools) for (const schema of [tool.inputSchema, tool.outputSchema]) ajv.compile(schema)
  return { client, tools: new Map(tools.map((tool) => [tool.name, tool])) }
}

async function take({ client, tools }, step, kept) {
  const args = filled(step.arguments, kept)
  const name = `${step.as}: ${step.tool} ${shown(args)}`
  const tool = tools.get(step.tool)
  assert(tool, name)
  assert.equal(ajv.validate(tool.inputSchema, args), !step.refused, name)
  let result
  try {
    // The client itself checks the answer against the tool's schema.
    result = await client.callTool({ name: step.tool, arguments: args })
  } catch (error) {
    if (step.refused) return
    throw error
  }
  const content = result.structuredContent
  assert.equal(Boolean(result.isError), Boolean(step.fails || step.refused), `${name}: ${shown(result)}`)
  if (result.isError) assert(content.error.message, shown(result))
  else assert(ajv.validate(tool.outputSchema, content), `${name}: ${ajv.errorsText()}`)
  for (const [pointer, wanted] of Object.entries(filled(step.expect ?? {}, kept))) {
    assert.deepEqual(at(content, pointer), wanted, `${name}: ${pointer}: ${shown(content)}`)
  }
  for (const [key, pointer] of Object.entries(step.keep ?? {})) kept[key] = at(content, pointer)
}

async function readAll(client, task) {
  const { resources } = await client.listResources()
  const { resourceTemplates } = await client.listResourceTemplates()
  const uris = resources.map((resource) => resource.uri)
  assert(uris.includes("reflectt://board") && uris.includes("reflectt://me"), shown(uris))
  assert.deepEqual(resourceTemplates.map((template) => template.uriTemplate), ["reflectt://task/{id}"])
  for (const uri of [...uris, `reflectt://task/${task}`]) {
    const { contents } = await client.readResource({ uri })
    assert(contents[0].text.trim(), uri)
  }
  await assert.rejects(client.readResource({ uri: "reflectt://task/zzzzzz" }))
}

async function getPrompts(client, task) {
  const { prompts } = await client.listPrompts()
  assert.deepEqual(prompts.map((prompt) => prompt.name).sort(), ["review", "work"])
  for (const prompt of prompts) {
    const needed = (prompt.arguments ?? []).filter((each) => each.required)
    const args = Object.fromEntries(needed.map((each) => [each.name, task]))
    const { messages } = await client.getPrompt({ name: prompt.name, arguments: args })
    assert(messages[0].content.text.trim(), prompt.name)
  }
}

async function hearsOfChanges(client) {
  const uri = "reflectt://board"
  const told = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("nothing was said of the change")), SECONDS * 1000)
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, (update) => {
      clearTimeout(late)
      resolve(update.params.uri)
    })
  })
  await client.subscribeResource({ uri })
  const args = ["-C", directory("link"), "task", "new", "Something new", "--criterion", "it is seen"]
  execFileSync(process.env.REFLECTT, args, { env: { ...process.env, REFLECTT_AGENT: "link" } })
  assert.equal(await told, uri)
  const { contents } = await client.readResource({ uri })
  assert(contents[0].text.includes("Something new"), contents[0].text)
}

const sessions = { kai: await connect("kai"), link: await connect("link") }
const { client, tools } = sessions.kai
assert.equal(client.getServerVersion().name, "reflectt")
assert(client.getInstructions().includes("status"))
const kept = {}
const used = new Set()
for (const step of JSON.parse(readFileSync(new URL("calls.json", import.meta.url), "utf8"))) {
  if (step.commit) {
    commit(step.as, step.commit)
  } else {
    used.add(step.tool)
    await take(sessions[step.as], step, kept)
  }
}
assert.deepEqual([...used].sort(), [...tools.keys()].sort())
await readAll(client, kept.later)
await getPrompts(client, kept.later)
await hearsOfChanges(client)
for (const each of Object.values(sessions)) await each.client.close()
console.log(`ok: ${tools.size} tools`)
