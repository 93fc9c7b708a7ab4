// The page of newline-delimited JSON: one fetch, whose body is read as it comes.

import { Live, STREAM_HEADERS, asked, byId, calm, limit, opaque, reason, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let asking

// <shown>
async function read(answer) {
  const reader = lines(answer.body).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const { char, n } = JSON.parse(value)
    live.show(`${char} ${n}`)
  }
}

// The bytes of a body as lines of text, however the network cuts them.
export function lines(body) {
  const text = body.pipeThrough(new TextDecoderStream())
  return text.pipeThrough(new TransformStream(splitter()))
}

// LF ends a line and nothing else does: a string may hold U+2028. What
// follows the last LF waits for its end.
function splitter() {
  let rest = ""
  return {
    transform(text, output) {
      const ended = (rest + text).split("\n")
      rest = ended.pop()
      for (const line of ended) if (line.trim()) output.enqueue(line)
    },
    flush() {
      if (rest) throw new Error("the last line has no end")
    },
  }
}
// </shown>

const label = text => {
  const { char, n } = JSON.parse(text)
  return `${char} ${n}`
}

const ENDED = "ended: the reader says done, the answer is whole"

async function run(options) {
  const headers = { ...STREAM_HEADERS, ...options.headers }
  stop()
  live.start()
  const mine = asking = new AbortController()
  let answer
  try {
    answer = await lanes.fetch(`../ndjson?${asked(form)}`, { ...options, headers, signal: mine.signal }, label)
    await follow(answer)
  } catch (error) {
    if (mine === asking) fail(error, answer)
  }
}

async function follow(answer) {
  if (!answer.ok) return live.say("refused", `refused: ${await reason(answer)}`)
  live.say("open")
  await read(answer)
  live.say("ended", ENDED)
}

function fail(error, answer) {
  if (asking.signal.aborted) live.say("closed", `stopped: abort() has been called, and all ends with ${error.name}`)
  else if (answer) live.say("cut", `cut: what came is not whole, the reader ends with ${error}`)
  else live.say("cut", `no answer: the request has failed with ${error}`)
  asking.abort() // whatever has failed, nothing is read any more
}

const start = () => run({})

function post() {
  const words = byId("words").value.split("\n").filter(word => word)
  run({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ words }) })
}

function stop() {
  asking?.abort()
  lanes.pause()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("post").addEventListener("click", post)
byId("stop").addEventListener("click", stop)
if (calm) form.elements.interval.value = "1"
byId("foreign").hidden = !opaque
byId("post").disabled = opaque
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
