// The page of WebSocket: one connection, on which both sides speak.

import { Live, add, asked, byId, calm, countAnew, limit, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let socket, wire

// <shown>
function start() {
  stop()
  live.start()
  countAnew()
  socket = new WebSocket(address())
  socket.onopen = opened
  socket.onmessage = ({ data }) => {
    live.show(data)
    add("received")
  }
  socket.onclose = closed
  wire = lanes.watchSocket(socket)
}

// Newer browsers take a relative URL, older ones only one that begins with ws or wss.
function address() {
  const url = new URL(`../websocket?${asked(form)}`, location)
  url.protocol = url.protocol.replace("http", "ws")
  return url
}

function say(word) {
  socket.send(word)
  wire.frame("client", word)
  add("sent")
}

function stop() {
  socket?.close(1000)
  lanes.pause()
  allow(false)
}
// </shown>

function opened() {
  live.say("open", "open: the server has agreed, and both sides may speak")
  allow(true)
}

function closed({ target, code, reason, wasClean }) {
  if (target !== socket) return // the one before: its end has come after the new start
  const why = reason ? `“${reason}”` : "no reason"
  live.say(wasClean ? "closed" : "cut", `closed: code ${code}, ${why}; ${wasClean ? "clean" : "not clean"}`)
  allow(false)
}

function allow(speech) {
  for (const button of [byId("send"), byId("over")]) button.disabled = !speech
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("speak").addEventListener("submit", event => {
  event.preventDefault()
  say(byId("word").value)
})
byId("over").addEventListener("click", () => say("stop"))
byId("stop").addEventListener("click", stop)
if (calm) form.elements.interval.value = "1"
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
