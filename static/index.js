// The front page: the spinner, straight from the root URL of the server.

import { Live, byId, calm, item, link, showSource, techniques, whileShown } from "./base.js"

const live = new Live()
let source

// <shown>
function start() {
  stop()
  live.start()
  source = new EventSource(calm ? "..?interval=1" : "..")
  source.onopen = () => live.say("open")
  source.onmessage = event => live.show(event.data)
  source.onerror = () => {
    const over = source.readyState === EventSource.CLOSED
    live.say(over ? "refused" : "reconnecting")
  }
}

function stop() {
  source?.close()
  live.say("closed")
}
// </shown>

byId("start").addEventListener("click", start)
byId("stop").addEventListener("click", stop)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))

byId("techniques").replaceChildren(...(await techniques).map(({ stem, title, about }) => {
  const raw = link(`../${stem}?count=50`, "bare answer")
  raw.className = "raw"
  return item(link(`${stem}.html`, title), `: ${about} `, raw)
}))
