// The page of long polling: one request waits at the server, and its response contains the new ticks.

import {
  Live, add, byId, ignoreAbort, limit, pause, query, reducedMotion, resetCounts, showRefusal, showSource, whileShown,
} from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let controller, reader

// <shown>
// One request after another. The first has no cursor, so a feed begins. Each
// later request has the cursor of the last response.
async function poll(signal, reader) {
  while (reader.more) {
    await request(signal, reader).catch(error => retry(error, signal))
  }
}

async function request(signal, reader) {
  add("requests")
  const response = await lanes.fetch(`../longpoll?${reader.query}`, { signal }, label) // fetch, drawn
  if (response.status === 204) noContent()
  else if (response.ok) update(reader, await response.json())
  else await showRefusal(live, reader, response)
}

function update(reader, { ticks, cursor, missed, more }) {
  for (const { char, n } of ticks) live.show(`${char} ${n}`)
  add("ticks", ticks.length)
  add("missed", missed)
  reader.query.set("after", cursor)
  reader.more = more
  live.setState(more ? "open" : "ended", more ? WAITING : ENDED)
}
// </shown>

const label = text => JSON.parse(text).ticks.map(({ char, n }) => `${char} ${n}`).join(", ")

const WAITING = "open: one request waits at the server for the next tick"
const ENDED = "ended: the last response has more: false, so the page stops polling"
const STOPPED = "stopped: no request waits; the page keeps its cursor"
const RETRYING = "no response: the server cannot be reached; the page polls again after 1 s"

function noContent() {
  add("empty")
  live.setState("open", WAITING)
}

async function retry(error, signal) {
  signal.throwIfAborted()
  live.setState("reconnecting", RETRYING)
  await pause(1, signal)
}

function start() {
  live.start()
  resetCounts()
  reader = { query: query(form), more: true }
  resume()
}

/** Continue at the cursor of the page; without a cursor, or after the end of the feed, start. */
function resume() {
  if (!reader?.more) return start()
  stop()
  live.setState("connecting")
  controller = new AbortController()
  poll(controller.signal, reader).catch(ignoreAbort)
}

function stop() {
  controller?.abort()
  lanes.pause()
  live.setState("closed", STOPPED)
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("resume").addEventListener("click", resume)
byId("stop").addEventListener("click", stop)
if (reducedMotion) form.elements.interval.value = "1"
limit(form)
whileShown(resume, stop)
showSource(import.meta.url, byId("source"))
