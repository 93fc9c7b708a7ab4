// The page of server-sent events: one EventSource and its states.

import { Live, byId, limit, query, reducedMotion, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let source, closeLanes

// Events with these names report that the stream cannot resume at the last id.
const NOTES = {
  missed: number => `open: the server no longer has ${number} of the missed events`,
  unknown: id => `open: the server does not know the last id, ${id}, and starts a new stream`,
}

// <shown>
function start() {
  stop()
  live.start()
  source = new EventSource(`../sse?${query(form)}`)
  source.onopen = () => live.setState("open")
  source.onmessage = event => live.show(event.data)
  for (const kind in NOTES) source.addEventListener(kind, event => live.setState("open", NOTES[kind](event.data)))
  source.onerror = () => {
    // CONNECTING: the browser reconnects by itself. CLOSED: it does not.
    const retries = source.readyState === EventSource.CONNECTING
    live.setState(retries ? "reconnecting" : "refused")
  }
  closeLanes = lanes.watchSource(source, ["message", ...Object.keys(NOTES)])
}

function stop() {
  source?.close()
  closeLanes?.()
  lanes.pause()
  live.setState("closed")
}
// </shown>

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("stop").addEventListener("click", stop)
if (reducedMotion) form.elements.interval.value = "1"
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
