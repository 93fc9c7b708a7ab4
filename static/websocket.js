// The page of WebSocket: one connection, on which both sides send messages.

import { Live, add, byId, limit, query, reducedMotion, resetCounts, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("query")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let socket, wire

// <shown>
function start() {
  stop()
  live.start()
  resetCounts()
  socket = new WebSocket(url())
  socket.onopen = opened
  socket.onmessage = ({ data }) => {
    live.show(data)
    add("received")
  }
  socket.onclose = closed
  wire = lanes.watchSocket(socket)
}

// Older browsers accept only a URL that begins with ws or wss.
function url() {
  const url = new URL(`../websocket?${query(form)}`, location)
  url.protocol = url.protocol.replace("http", "ws")
  return url
}

function send(word) {
  socket.send(word)
  wire.frame("client", word)
  add("sent")
}

function stop() {
  socket?.close(1000)
  lanes.pause()
  enableSending(false)
}
// </shown>

function opened() {
  live.setState("open", "open: the server responded with 101; both sides can send messages")
  enableSending(true)
}

function closed({ target, code, reason, wasClean }) {
  if (target !== socket) return // the connection before this one
  const why = reason ? `“${reason}”` : "no reason"
  live.setState(wasClean ? "closed" : "interrupted", `closed: code ${code}, ${why}; ${wasClean ? "clean" : "not clean"}`)
  enableSending(false)
}

function enableSending(enabled) {
  for (const button of [byId("send"), byId("send-stop")]) button.disabled = !enabled
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("message").addEventListener("submit", event => {
  event.preventDefault()
  send(byId("word").value)
})
byId("send-stop").addEventListener("click", () => send("stop"))
byId("stop").addEventListener("click", stop)
if (reducedMotion) form.elements.interval.value = "1"
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
