// The page of polling: send a request, wait, send the next request.

import {
  Live, add, byId, ignoreAbort, limit, opaque, pause, query, reducedMotion, resetCounts, showRefusal, showSource,
  whileShown,
} from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const every = byId("every")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let controller

// <shown>
// The next request is sent only after the last response: with a slow server,
// requests never pile up.
async function poll(signal, seconds) {
  const feed = { url: `../polling?${query(form)}`, n: -1, more: true }
  while (feed.more) {
    await request(feed, signal).catch(error => retry(error, signal))
    if (feed.more) await pause(seconds, signal)
  }
}

async function request(feed, signal) {
  add("requests")
  const headers = feed.tag ? { "If-None-Match": feed.tag } : {}
  const response = await lanes.fetch(feed.url, { headers, signal, cache: "no-store" }, label) // fetch, drawn
  if (response.status === 304) notModified()
  else if (response.ok) update(feed, response, await response.json())
  else await showRefusal(live, feed, response)
}

function update(feed, response, { char, n, more }) {
  if (n > feed.n) {
    add("received")
    add("missed", n - feed.n - 1)
    live.show(`${char} ${n}`)
  }
  // start=now redirects to a new feed: use its URL from now on.
  Object.assign(feed, { n, more, url: response.url })
  feed.tag = response.headers.get("ETag")
  live.setState(more ? "open" : "ended", more ? POLLING : ENDED)
}
// </shown>

const label = text => {
  const { char, n } = JSON.parse(text)
  return `${char} ${n}`
}

const POLLING = "polling: the server responds; between two requests no connection waits"
const ENDED = "ended: the last response has more: false, so the page stops polling"
const STOPPED = "stopped: the page sends no more requests"
const RETRYING = "no response: the server cannot be reached; the page polls again"

function notModified() {
  add("unchanged")
  live.setState("open", POLLING)
}

function retry(error, signal) {
  signal.throwIfAborted()
  live.setState("reconnecting", RETRYING)
}

function start() {
  stop()
  live.start()
  resetCounts()
  controller = new AbortController()
  poll(controller.signal, every.valueAsNumber || 1).catch(ignoreAbort)
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
byId("stop").addEventListener("click", stop)
if (reducedMotion) form.elements.interval.value = every.value = "1"
byId("sandboxed").hidden = !opaque
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
