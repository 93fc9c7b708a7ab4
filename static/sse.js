// The page of server-sent events: one EventSource, and what becomes of it.

import { Live, asked, byId, calm, limit, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let source, closeLanes

// What a server that resumes may say of the events in between.
const NOTES = {
  missed: number => `open: too long away, the server has forgotten ${number} events`,
  unknown: id => `open: the server does not know the last id, ${id}, and begins anew`,
}

// <shown>
function start() {
  stop()
  live.start()
  source = new EventSource(`../sse?${asked(form)}`)
  source.onopen = () => live.say("open")
  source.onmessage = event => live.show(event.data)
  for (const kind in NOTES) source.addEventListener(kind, event => live.say("open", NOTES[kind](event.data)))
  source.onerror = () => {
    // CONNECTING: the browser asks again by itself. CLOSED: it has given up.
    const again = source.readyState === EventSource.CONNECTING
    live.say(again ? "reconnecting" : "refused")
  }
  closeLanes = lanes.watchSource(source, ["message", ...Object.keys(NOTES)])
}

function stop() {
  source?.close()
  closeLanes?.()
  lanes.pause()
  live.say("closed")
}
// </shown>

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("stop").addEventListener("click", stop)
if (calm) form.elements.interval.value = "1"
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
