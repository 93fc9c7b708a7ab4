// What the pages have in common. What a technique is about stands in its page's own module.

export const byId = id => document.getElementById(id)

// A sandboxed frame, such as a help pane, gives the page an origin that equals no other, not even its server's.
export const opaque = self.origin === "null"

export const calm = matchMedia("(prefers-reduced-motion: reduce)").matches

// Behind jupyter-server-proxy. It does not pass a disconnect on to the server, so every stream needs an end.
export const proxied = /\/proxy\/\d+\//.test(location.pathname)
export const PROXY_SECONDS = 30

// The proxy passes a response on chunk by chunk only if the request has exactly this Accept header.
export const STREAM_HEADERS = proxied ? { Accept: "text/event-stream" } : {}

const SILENCE = 3000 // milliseconds without a byte before a page says so
const SILENT = "waiting: nothing has arrived for 3 s. A proxy may be buffering the response, or six streams are open"

const WORDS = {
  connecting: "connecting: the request is on its way",
  open: "open: the answer has begun and is not over",
  reconnecting: "reconnecting: the server or its stream is gone; the browser tries again by itself",
  refused: "closed: the answer was no event stream; the browser does not ask again",
  closed: "closed: source.close() has been called",
  loading: "loading: the page comes in, and runs as it comes",
  ended: "ended: the load event has come, the page is whole",
  foreign: "not started: this page stands in a sandboxed frame, which no page inside it may call",
  stopped: "stopped: the frame is gone, and its connection with it",
}

/** Say in words how a stream stands; the same words are not said twice, since screen readers read out each change. */
export function say(place, kind, words = WORDS[kind]) {
  place.dataset.kind = kind
  if (place.textContent !== words) place.textContent = words
}

const RUNNING = ["connecting", "open", "loading", "reconnecting"].map(kind => `.state[data-kind=${kind}]`).join()

/** Open the streams of a page when it is shown, and close them when it is hidden or left. A page that is shown again
 * opens its streams again only if they were running before. */
export function whileShown(open, close) {
  let running = true // a page that is loaded in the background starts when it is first shown
  let displayed = true
  let shown = !document.hidden
  const change = () => {
    if (shown === (displayed && !document.hidden)) return
    shown = !shown
    if (shown) return running && open()
    running = Boolean(document.querySelector(RUNNING))
    close()
  }
  addEventListener("pageshow", () => document.hidden || open())
  addEventListener("pagehide", close)
  document.addEventListener("visibilitychange", change)
  // JupyterLab does not display the pages of its other tabs. They have no size then, and no visibilitychange occurs.
  new IntersectionObserver(entries => {
    displayed = entries.at(-1).boundingClientRect.width > 0
    change()
  }).observe(document.documentElement)
}

/** Say in `place` that nothing has arrived, if `waiting()` is still true after 3 s. Return the timer. */
export function noteSilence(place, waiting, words = SILENT) {
  return setTimeout(() => waiting() && say(place, place.dataset.kind, words), SILENCE)
}

/** Return a new iframe. It shows its state in `place`, also if no part of its page has arrived after 3 s. It calls
 * `complete` when its page is complete. A new frame adds no step to the browser's history, unlike a new URL of the same
 * frame. */
export function newFrame(url, title, place, complete = () => {}) {
  const frame = document.createElement("iframe")
  frame.title = title
  frame.src = url
  frame.addEventListener("load", () => {
    say(place, "ended")
    complete()
  })
  const empty = () => frame.contentDocument && !frame.contentDocument.querySelector("h1, script, pre")
  noteSilence(place, () => frame.isConnected && place.dataset.kind === "loading" && empty())
  return frame
}

/** What a page shows of a stream: its state in words, the latest text, and a log of the last ten. */
export class Live {
  data = byId("data")
  state = byId("state")
  log = byId("log")

  say(kind, words) {
    say(this.state, kind, words)
  }

  /** Nothing received yet; the clock of the log starts here. */
  start(kind = "connecting") {
    this.began = performance.now()
    this.last = undefined
    this.log.replaceChildren()
    this.data.textContent = "nothing received yet"
    this.data.classList.add("waiting")
    this.say(kind)
    clearTimeout(this.silence)
    this.silence = noteSilence(this.state, () => this.state.dataset.kind === "connecting")
  }

  show(text) {
    this.data.textContent = text // never innerHTML: what comes over the wire is text
    this.data.classList.remove("waiting")
    this.log.append(this.#line(text, performance.now()))
    if (this.log.children.length > 10) this.log.firstElementChild.remove()
  }

  #line(text, now) {
    const line = document.createElement("li")
    const gap = this.last === undefined ? "" : `+${Math.round(now - this.last)} ms`
    line.append(piece("text", text), piece("when", `${((now - this.began) / 1000).toFixed(3)} s`), piece("gap", gap))
    this.last = now
    return line
  }
}

function piece(name, text) {
  const span = document.createElement("span")
  span.className = name
  span.textContent = text
  return span
}

/** Limit a stream to `seconds`, if a proxy does not pass a disconnect on. */
export function limit({ elements: { count, interval } }, seconds = PROXY_SECONDS) {
  if (proxied) count.value = Math.ceil(seconds / interval.value)
}

/** What a form asks for, as a query: its fields that are not empty. */
export function asked(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""))
}

/** Count one more, or `more`, in the element that has this id. */
export function add(id, more = 1) {
  byId(id).textContent = Number(byId(id).textContent) + more
}

/** Let all that is counted begin with 0. */
export function countAnew() {
  for (const number of document.querySelectorAll(".counts dd")) number.textContent = "0"
}

/** Wait; where the signal came meanwhile, end with its AbortError. */
export async function pause(seconds, signal) {
  await new Promise(done => setTimeout(done, seconds * 1000))
  signal.throwIfAborted()
}

/** Why an answer is none: its status, and the server's own words where they are plain text. */
export async function reason(answer) {
  const plain = answer.headers.get("Content-Type")?.startsWith("text/plain")
  return plain ? `${answer.status}, ${(await answer.text()).trim()}` : `${answer.status} ${answer.statusText}`
}

/** Say that the answer is a refusal, and why, and end what goes on while `reader.more`. From status 500 on it may be a
 * proxy that speaks for a server that is away: then throw, as fetch does where there is no answer. */
export async function refused(live, reader, answer) {
  const why = await reason(answer)
  if (answer.status >= 500) throw new Error(why)
  reader.more = false
  live.say("refused", `refused: ${why}`)
}

/** Catch the AbortError, with which all ends that is stopped on purpose; throw any other. */
export function onlyAborted(error) {
  if (error.name !== "AbortError") throw error
}

/** Show in `place` the lines of a module that stand between its two marks, so that the page cannot misquote it. */
export async function showSource(url, place) {
  const answer = await fetch(url)
  const text = await answer.text()
  place.textContent = text.split("// <shown>\n")[1].split("// </shown>")[0].trim()
}

/** What the server teaches, in its order: the stem, the title and a line about each technique. */
export const techniques = fetch("../techniques").then(answer => answer.json())

export function link(url, text) {
  const made = document.createElement("a")
  made.href = url
  made.textContent = text
  return made
}

export function item(...content) {
  const made = document.createElement("li")
  made.append(...content)
  return made
}

async function linkTheRest() {
  const links = (await techniques).map(({ stem, title }) => item(link(`${stem}.html`, title)))
  document.querySelector("header nav ul").replaceChildren(...links)
  for (const each of document.querySelectorAll("header a")) {
    if (each.pathname !== location.pathname) continue
    each.setAttribute("aria-current", "page")
    const list = each.closest("ul") // a phone shows only some of its links at a time
    if (list) list.scrollLeft = each.offsetLeft - list.offsetLeft - 16
  }
}
linkTheRest()
