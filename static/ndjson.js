// The page of newline-delimited JSON: one fetch, whose body is read while it arrives.

import {
  Live, STREAM_HEADERS, byId, limit, opaque, query, reason, reducedMotion, showSource, whileShown,
} from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let controller

// <shown>
async function read(response) {
  const reader = lines(response.body).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const { char, n } = JSON.parse(value)
    live.show(`${char} ${n}`)
  }
}

// Return a body as lines of text, however the network splits its bytes.
export function lines(body) {
  const text = body.pipeThrough(new TextDecoderStream())
  return text.pipeThrough(new TransformStream(splitter()))
}

// Only LF ends a line: a string may contain U+2028. Text after the last LF is
// buffered until its line is complete.
function splitter() {
  let rest = ""
  return {
    transform(text, output) {
      const complete = (rest + text).split("\n")
      rest = complete.pop()
      for (const line of complete) if (line.trim()) output.enqueue(line)
    },
    flush() {
      if (rest) throw new Error("the last line is not complete")
    },
  }
}
// </shown>

const label = text => {
  const { char, n } = JSON.parse(text)
  return `${char} ${n}`
}

const ENDED = "ended: the reader returns done: true; the body is complete"

async function run(options) {
  const headers = { ...STREAM_HEADERS, ...options.headers }
  stop()
  live.start()
  const own = controller = new AbortController()
  let response
  try {
    response = await lanes.fetch(`../ndjson?${query(form)}`, { ...options, headers, signal: own.signal }, label)
    await follow(response)
  } catch (error) {
    if (own === controller) fail(error, response)
  }
}

async function follow(response) {
  if (!response.ok) return live.setState("refused", `refused: ${await reason(response)}`)
  live.setState("open")
  await read(response)
  live.setState("ended", ENDED)
}

function fail(error, response) {
  if (controller.signal.aborted) live.setState("closed", `stopped: the page called abort(), and the reader throws ${error.name}`)
  else if (response) live.setState("interrupted", `interrupted: the body is not complete; the reader throws ${error}`)
  else live.setState("interrupted", `no response: fetch throws ${error}`)
  controller.abort() // stop reading after any error
}

const start = () => run({})

function post() {
  const words = byId("words").value.split("\n").filter(word => word)
  run({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ words }) })
}

function stop() {
  controller?.abort()
  lanes.pause()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("post").addEventListener("click", post)
byId("stop").addEventListener("click", stop)
if (reducedMotion) form.elements.interval.value = "1"
byId("sandboxed").hidden = !opaque
byId("post").disabled = opaque
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
