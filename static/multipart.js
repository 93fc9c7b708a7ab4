// The page of multipart: the same stream as two pictures, with different flushes.

import { byId, limit, query, reducedMotion, reportSilence, setState, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const images = {}
const lanes = new Lanes(byId("lanes"), { names: ["Plain", "Next headers sent early"] })
const wires = {}

// <shown>
function show(name, fields) {
  const image = new Image(160, 160)
  let loads = 0
  image.onload = () => setState(state(name), "open", `open: ${++loads} load event so far`)
  image.addEventListener("error", () => wires[name].close("failed"))
  image.onerror = () => setState(state(name), "refused", "closed: an error event, which has no reason")
  image.crossOrigin = "anonymous" // a page in a sandboxed frame may then read the pixels
  image.alt = "a turning line and its number"
  image.src = `../multipart?${fields}`
  return image
}

function stop(name) {
  images[name]?.removeAttribute("src") // removing the element would not close the connection
  wires[name]?.close("disconnected")
  setState(state(name), "closed", "closed: the src attribute is removed, and the connection is closed")
}

// No event reports a new picture. Compare the pixels before each repaint.
function watch(image, changed) {
  let last
  requestAnimationFrame(function look() {
    const now = pixels(image)
    if (now && now !== last) changed()
    last = now
    if (image.hasAttribute("src")) requestAnimationFrame(look)
  })
}
// </shown>

const NO_PICTURE = "loading: no picture after 3 s. A proxy may be buffering the response, six streams may be open, or "
  + "the interval is long"
const state = name => byId(`${name}-state`)
const LANE = { plain: "Plain", ahead: "Next headers sent early" }
const PART = 700 // bytes of a part, an estimate: a page cannot measure it
const pen = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true })

function pixels(image) {
  if (!image.naturalWidth) return undefined // no picture yet, or the connection is lost
  pen.drawImage(image, 0, 0, 16, 16)
  return pen.getImageData(0, 0, 16, 16).data.join()
}

function start(name, fields) {
  stop(name)
  const strip = byId(`${name}-strip`)
  const began = performance.now()
  strip.replaceChildren()
  setState(state(name), "loading", "loading: no picture is complete yet")
  const wire = wires[name] = lanes.open({ lane: LANE[name] })
  wire.request({ url: `../multipart?${fields}` })
  const image = images[name] = show(name, fields)
  byId(name).replaceChildren(images[name])
  reportSilence(state(name), () => images[name] === image && state(name).dataset.kind === "loading", NO_PICTURE)
  watch(images[name], () => {
    if (!wire.responded) wire.response()
    wire.message({ format: "part", bytes: PART, about: true })
    log(strip, performance.now() - began)
  })
}

function log(strip, passed) {
  const box = document.createElement("li")
  box.textContent = (passed / 1000).toFixed(2)
  strip.append(box)
  if (strip.children.length > 10) strip.firstElementChild.remove()
}

function startBoth() {
  const fields = query(form)
  start("plain", fields)
  fields.delete("length")
  fields.set("ahead", "1")
  start("ahead", fields)
}

function stopBoth() {
  for (const name of ["plain", "ahead"]) stop(name)
  lanes.pause()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  startBoth()
})
byId("stop").addEventListener("click", stopBoth)
if (reducedMotion) form.elements.interval.value = "1"
limit(form, 5) // the proxy sends nothing before the stream has ended
whileShown(startBoth, stopBoth)
showSource(import.meta.url, byId("source"))
