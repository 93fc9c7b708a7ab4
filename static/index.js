// The front page: the spinner, straight from the root URL of the server.

import { Live, PROXY_SECONDS, byId, calm, item, link, proxied, showSource, techniques, whileShown } from "./base.js"

const live = new Live()
let source

// <shown>
function start() {
  stop()
  live.start()
  source = new EventSource(address())
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

function address() {
  const interval = calm ? 1 : 0.1
  const query = new URLSearchParams({ ...(calm && { interval }), ...(proxied && { count: PROXY_SECONDS / interval }) })
  return query.size ? `..?${query}` : ".."
}

byId("start").addEventListener("click", start)
byId("stop").addEventListener("click", stop)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))

byId("techniques").replaceChildren(...(await techniques).map(({ stem, title, about }) => {
  const raw = link(`../${stem}?count=50`, "bare answer")
  raw.className = "raw"
  return item(link(`${stem}.html`, title), `: ${about} `, raw)
}))
