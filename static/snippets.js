// The page of script snippets: a page without an end, in a visible frame and in a hidden frame.

import {
  Live, byId, limit, newFrame, opaque, query, reducedMotion, setState, showSource, whileShown,
} from "./base.js"
import { Lanes, bytesOf } from "./lanes.js"

const form = byId("query")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let wire

// <shown>
// The scripts of the hidden page call parent.show(text): this page is the parent.
window.show = text => received(text)

function startHidden() {
  const url = `../snippets?frame=1&${query(form)}`
  const frame = newFrame(url, "The hidden page", live.state, complete)
  wire = lanes.open()
  wire.request({ url })
  live.start("loading")
  byId("hidden").replaceChildren(frame)
}

function stopHidden() {
  byId("hidden").replaceChildren() // this also closes the connection
  wire?.close("disconnected")
  lanes.pause()
  live.setState("stopped")
}
// </shown>

function received(text) {
  live.show(text)
  draw(text)
}

function draw(text) {
  if (!wire.responded) wire.response()
  if (text) wire.message({ format: "script", bytes: bytesOf(`<script>parent.show("${text}")</script>\n`), about: true, text })
}

function complete() {
  draw()
  wire.close("complete")
  lanes.pause()
}

function startVisible() {
  const state = byId("visible-state")
  const frame = newFrame(`../snippets?${query(form)}`, "The streamed page", state)
  setState(state, "loading")
  byId("visible").replaceChildren(frame)
}

function stopVisible() {
  byId("visible").replaceChildren()
  setState(byId("visible-state"), "stopped")
}

function start() {
  startVisible()
  if (opaque) live.setState("sandboxed")
  else startHidden()
}

function stop() {
  stopVisible()
  if (!opaque) stopHidden()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("attack").addEventListener("click", () => {
  form.elements.word.value = '</script><script>alert("it ran")</script>'
  start()
})
byId("stop").addEventListener("click", stop)
if (reducedMotion) form.elements.interval.value = "1"
limit(form, 5) // the proxy sends nothing before the page is complete
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
