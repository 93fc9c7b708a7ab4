// The front page: the spinner comes from the root URL of the server.

import {
  Live, PROXY_SECONDS, byId, item, link, proxied, reducedMotion, showSource, techniques, whileShown,
} from "./base.js"

const live = new Live()
let source

// <shown>
function start() {
  stop()
  live.start()
  source = new EventSource(url())
  source.onopen = () => live.setState("open")
  source.onmessage = event => live.show(event.data)
  source.onerror = () => {
    const closed = source.readyState === EventSource.CLOSED
    live.setState(closed ? "refused" : "reconnecting")
  }
}

function stop() {
  source?.close()
  live.setState("closed")
}
// </shown>

function url() {
  const interval = reducedMotion ? 1 : 0.1
  const query = new URLSearchParams({ ...(reducedMotion && { interval }), ...(proxied && { count: PROXY_SECONDS / interval }) })
  return query.size ? `..?${query}` : ".."
}

byId("start").addEventListener("click", start)
byId("stop").addEventListener("click", stop)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))

byId("techniques").replaceChildren(...(await techniques).map(({ stem, title, about }) => {
  const raw = link(`../${stem}?count=50`, "raw")
  raw.className = "raw"
  return item(link(`${stem}.html`, title), `: ${about} `, raw)
}))
