// The page of streamed templates: the same template twice, without and with buffering.

import { byId, newFrame, opaque, query, reducedMotion, setState, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const names = { unbuffered: "Unbuffered", buffered: "Buffered" }
const lanes = new Lanes(byId("lanes"), { names: Object.values(names) })
const wires = {}

// <shown>
// Before each repaint of the screen, add a box with the new letters.
function watch(frame, strip, draw) {
  let shown = 0
  strip.replaceChildren()
  requestAnimationFrame(function look() {
    const arrived = received(frame)
    if (arrived > shown) strip.append(draw(box(shown, arrived)))
    shown = Math.max(shown, arrived)
    if (frame.isConnected) requestAnimationFrame(look)
  })
}

// The framed page shows "h 0", then "e 1": the number plus one is the count.
function received(frame) {
  const data = frame.contentDocument?.getElementById("data")
  const number = / (\d+)$/.exec(data?.textContent)
  return number ? Number(number[1]) + 1 : 0
}
// </shown>

function start(name, fields) {
  const state = byId(`${name}-state`)
  const url = `../template?${fields}`
  const frame = newFrame(url, `The template, ${name}`, state, () => wire.close("complete"))
  const wire = wires[name] = lanes.open({ lane: names[name] })
  wire.request({ url })
  byId(name).replaceChildren(frame)
  setState(state, "loading")
  watch(frame, byId(`${name}-strip`), item => {
    if (!wire.responded) wire.response()
    const text = item.textContent
    wire.message({ format: "script", bytes: text.length * 30, about: true, text })
    return item
  })
}

function box(from, to) {
  const item = document.createElement("li")
  item.textContent = Array.from({ length: to - from }, (_, i) => "hello"[(from + i) % 5]).join("")
  return item
}

function startBoth() {
  const fields = query(form)
  start("buffered", fields)
  fields.delete("buffering")
  start("unbuffered", fields)
}

function stopBoth() {
  for (const name of ["unbuffered", "buffered"]) {
    byId(name).replaceChildren()
    wires[name]?.close("disconnected")
    setState(byId(`${name}-state`), "stopped")
  }
  lanes.pause()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  startBoth()
})
byId("stop").addEventListener("click", stopBoth)
if (reducedMotion) form.elements.interval.value = "1"
byId("sandboxed").hidden = !opaque
whileShown(startBoth, stopBoth)
showSource(import.meta.url, byId("source"))
