// The page of long polling: one request waits at the server, and its answer brings what is new.

import { Live, add, asked, byId, calm, countAnew, limit, onlyAborted, pause, refused, showSource, whileShown } from "./base.js"
import { Lanes } from "./lanes.js"

const form = byId("ask")
const live = new Live()
const lanes = new Lanes(byId("lanes"))
let asking, reader

// <shown>
// One request after another. The first has no cursor, so a feed begins; each
// later one says how far this page has come.
async function listen(signal, reader) {
  while (reader.more) {
    await ask(signal, reader).catch(error => away(error, signal))
  }
}

async function ask(signal, reader) {
  add("asks")
  const answer = await lanes.fetch(`../longpoll?${reader.query}`, { signal }, label) // fetch, drawn
  if (answer.status === 204) empty()
  else if (answer.ok) take(reader, await answer.json())
  else await refused(live, reader, answer)
}

function take(reader, { ticks, cursor, missed, more }) {
  for (const { char, n } of ticks) live.show(`${char} ${n}`)
  add("ticks", ticks.length)
  add("forgotten", missed)
  reader.query.set("after", cursor)
  reader.more = more
  live.say(more ? "open" : "ended", more ? WAITING : ENDED)
}
// </shown>

const label = text => JSON.parse(text).ticks.map(({ char, n }) => `${char} ${n}`).join(", ")

const WAITING = "open: one request waits at the server until there is something to say"
const ENDED = "ended: the answer says that no more comes, so the page asks no more"
const STOPPED = "stopped: no request waits; the page keeps its cursor"
const AWAY = "no answer: the server is away; the page asks again after a second"

function empty() {
  add("empty")
  live.say("open", WAITING)
}

async function away(error, signal) {
  signal.throwIfAborted()
  live.say("reconnecting", AWAY)
  await pause(1, signal)
}

function start() {
  live.start()
  countAnew()
  reader = { query: asked(form), more: true }
  goOn()
}

/** Ask with the cursor that the page has; where there is nothing to go on with, start. */
function goOn() {
  if (!reader?.more) return start()
  stop()
  live.say("connecting")
  asking = new AbortController()
  listen(asking.signal, reader).catch(onlyAborted)
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
byId("go-on").addEventListener("click", goOn)
byId("stop").addEventListener("click", stop)
if (calm) form.elements.interval.value = "1"
limit(form)
whileShown(goOn, stop)
showSource(import.meta.url, byId("source"))
