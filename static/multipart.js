// The page of multipart: two pictures on the same stream, and what a page can know of them.

import { asked, byId, calm, limit, noteSilence, say, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const images = {}
const lanes = new Lanes(byId("lanes"), { names: ["Plain", "The next header sent ahead"] })
const wires = {}

// <shown>
function show(name, query) {
  const image = new Image(160, 160)
  let loads = 0
  image.onload = () => say(state(name), "open", `open: ${++loads} load event so far`)
  image.addEventListener("error", () => wires[name].close("failed"))
  image.onerror = () => say(state(name), "refused", "closed: an error event, and no reason")
  image.crossOrigin = "anonymous" // so that a page in a sandboxed frame may look at the pixels, too
  image.alt = "a line that turns, and its number"
  image.src = `../multipart?${query}`
  return image
}

function stop(name) {
  images[name]?.removeAttribute("src") // to take the element out of the page would end nothing
  wires[name]?.close("disconnected")
  say(state(name), "closed", "closed: the src attribute is gone, and the connection with it")
}

// No event tells of a new picture. To know of it, look before each repaint.
function watch(image, seen) {
  let last
  requestAnimationFrame(function look() {
    const now = pixels(image)
    if (now && now !== last) seen()
    last = now
    if (image.hasAttribute("src")) requestAnimationFrame(look)
  })
}
// </shown>

const NO_PICTURE = "loading: no picture after 3 s. A proxy may be buffering the response, six streams may be open, or "
  + "the interval is long"
const state = name => byId(`${name}-state`)
const LANE = { plain: "Plain", ahead: "The next header sent ahead" }
const PART = 700 // bytes of a part, about: a page cannot see them
const pen = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true })

function pixels(image) {
  if (!image.naturalWidth) return undefined // nothing has come yet, or the connection broke
  pen.drawImage(image, 0, 0, 16, 16)
  return pen.getImageData(0, 0, 16, 16).data.join()
}

function start(name, query) {
  stop(name)
  const strip = byId(`${name}-strip`)
  const began = performance.now()
  strip.replaceChildren()
  say(state(name), "loading", "loading: no picture is whole yet")
  const wire = wires[name] = lanes.open({ lane: LANE[name] })
  wire.request({ url: `../multipart?${query}` })
  const image = images[name] = show(name, query)
  byId(name).replaceChildren(images[name])
  noteSilence(state(name), () => images[name] === image && state(name).dataset.kind === "loading", NO_PICTURE)
  watch(images[name], () => {
    if (!wire.answered) wire.response()
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
  const query = asked(form)
  start("plain", query)
  query.delete("length")
  query.set("ahead", "1")
  start("ahead", query)
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
if (calm) form.elements.interval.value = "1"
limit(form, 5) // the proxy sends nothing before the stream has ended
whileShown(startBoth, stopBoth)
showSource(import.meta.url, byId("source"))
