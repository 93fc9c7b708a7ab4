// The page of polling: ask, wait, ask again.

import {
  Live, add, asked, byId, calm, countAnew, limit, onlyAborted, opaque, pause, refused, showSource, whileShown,
} from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const every = byId("every")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let asking

// <shown>
// The next request waits for the answer to the last one: however slow the
// server is, they never pile up.
async function poll(signal, seconds) {
  const feed = { url: `../polling?${asked(form)}`, n: -1, more: true }
  while (feed.more) {
    await ask(feed, signal).catch(error => away(error, signal))
    if (feed.more) await pause(seconds, signal)
  }
}

async function ask(feed, signal) {
  add("asks")
  const headers = feed.tag ? { "If-None-Match": feed.tag } : {}
  const answer = await lanes.fetch(feed.url, { headers, signal, cache: "no-store" }, label) // fetch, drawn
  if (answer.status === 304) same()
  else if (answer.ok) take(feed, answer, await answer.json())
  else await refused(live, feed, answer)
}

function take(feed, answer, { char, n, more }) {
  if (n > feed.n) {
    add("seen")
    add("unseen", n - feed.n - 1)
    live.show(`${char} ${n}`)
  }
  // start=now has led to a feed of one's own: ask at its address from now on.
  Object.assign(feed, { n, more, url: answer.url })
  feed.tag = answer.headers.get("ETag")
  live.say(more ? "open" : "ended", more ? ASKING : ENDED)
}
// </shown>

const label = text => {
  const { char, n } = JSON.parse(text)
  return `${char} ${n}`
}

const ASKING = "polling: the server answers; between two requests it knows nothing of this page"
const ENDED = "ended: the answer says that no more comes, so the page asks no more"
const STOPPED = "stopped: no request is under way, and none will follow"
const AWAY = "no answer: the server is away; the page asks again"

function same() {
  add("same")
  live.say("open", ASKING)
}

function away(error, signal) {
  signal.throwIfAborted()
  live.say("reconnecting", AWAY)
}

function start() {
  stop()
  live.start()
  countAnew()
  asking = new AbortController()
  poll(asking.signal, every.valueAsNumber || 1).catch(onlyAborted)
}

function stop() {
  asking?.abort()
  lanes.pause()
  live.say("closed", STOPPED)
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("stop").addEventListener("click", stop)
if (calm) form.elements.interval.value = every.value = "1"
byId("foreign").hidden = !opaque
limit(form)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
