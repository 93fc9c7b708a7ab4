// The page of streamed templates: one template twice, each piece by itself and many pieces as one.

import { asked, byId, calm, newFrame, opaque, say, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const names = { unbuffered: "Each piece as it is made", buffered: "Many pieces joined" }
const lanes = new Lanes(byId("lanes"), { names: Object.values(names) })
const wires = {}

// <shown>
// Before each picture that the browser paints: which letters are new?
function watch(frame, strip, draw) {
  let seen = 0
  strip.replaceChildren()
  requestAnimationFrame(function look() {
    const come = received(frame)
    if (come > seen) strip.append(draw(clump(seen, come)))
    seen = Math.max(seen, come)
    if (frame.isConnected) requestAnimationFrame(look)
  })
}

// The framed page shows "h 0", then "e 1": its number tells how many came.
function received(frame) {
  const data = frame.contentDocument?.getElementById("data")
  const number = / (\d+)$/.exec(data?.textContent)
  return number ? Number(number[1]) + 1 : 0
}
// </shown>

function start(name, query) {
  const state = byId(`${name}-state`)
  const url = `../template?${query}`
  const frame = newFrame(url, `The template, ${name}`, state, () => wire.close("complete"))
  const wire = wires[name] = lanes.open({ lane: names[name] })
  wire.request({ url })
  byId(name).replaceChildren(frame)
  say(state, "loading")
  watch(frame, byId(`${name}-strip`), item => {
    if (!wire.answered) wire.response()
    const text = item.textContent
    wire.message({ format: "script", bytes: text.length * 30, about: true, text })
    return item
  })
}

function clump(from, to) {
  const item = document.createElement("li")
  item.textContent = Array.from({ length: to - from }, (_, i) => "hello"[(from + i) % 5]).join("")
  return item
}

function startBoth() {
  const query = asked(form)
  start("buffered", query)
  query.delete("buffering")
  start("unbuffered", query)
}

function stopBoth() {
  for (const name of ["unbuffered", "buffered"]) {
    byId(name).replaceChildren()
    wires[name]?.close("disconnected")
    say(byId(`${name}-state`), "stopped")
  }
  lanes.pause()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  startBoth()
})
byId("stop").addEventListener("click", stopBoth)
if (calm) form.elements.interval.value = "1"
byId("foreign").hidden = !opaque
whileShown(startBoth, stopBoth)
showSource(import.meta.url, byId("source"))
