// Functions that all pages use. The module of each page contains the code of its technique.

export const byId = id => document.getElementById(id)

// In a sandboxed frame, such as a help pane, the page has an opaque origin: it equals no other, not even the server's.
export const opaque = self.origin === "null"

export const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches

// Behind jupyter-server-proxy. It does not pass a disconnect on to the server, so every stream needs an end.
export const proxied = /\/proxy\/\d+\//.test(location.pathname)
export const PROXY_SECONDS = 30

// The proxy passes a response on chunk by chunk only if the request has exactly this Accept header.
export const STREAM_HEADERS = proxied ? { Accept: "text/event-stream" } : {}

const SILENCE = 3000 // milliseconds without a byte before a page reports it
const SILENT = "waiting: nothing has arrived for 3 s. A proxy may be buffering the response, or six streams are open"

const TEXTS = {
  connecting: "connecting: the request is sent",
  open: "open: the response has started",
  reconnecting: "reconnecting: the connection is lost; the browser retries by itself",
  refused: "closed: the response is not an event stream; the browser does not reconnect",
  closed: "closed: the page called source.close()",
  loading: "loading: the page arrives, and each script runs when it arrives",
  ended: "ended: the load event has fired; the page is complete",
  sandboxed: "not started: this page is in a sandboxed frame, so the hidden frame cannot call it",
  stopped: "stopped: the frame is removed, and its connection is closed",
}

/** Show the state of a stream in `place`. The same text is not set twice, because screen readers read out each change. */
export function setState(place, kind, text = TEXTS[kind]) {
  place.dataset.kind = kind
  if (place.textContent !== text) place.textContent = text
}

const RUNNING = ["connecting", "open", "loading", "reconnecting"].map(kind => `.state[data-kind=${kind}]`).join()

/** Open the streams of a page when it is shown, and close them when it is hidden or unloaded. A page that is shown again
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

/** Show in `place` that nothing has arrived, if `waiting()` is still true after 3 s. Return the timer. */
export function reportSilence(place, waiting, text = SILENT) {
  return setTimeout(() => waiting() && setState(place, place.dataset.kind, text), SILENCE)
}

/** Return a new iframe. It shows its state in `place`, also if no part of its page has arrived after 3 s. It calls
 * `complete` when its page is complete. A new frame adds no step to the browser's history, unlike a new URL of the same
 * frame. */
export function newFrame(url, title, place, complete = () => {}) {
  const frame = document.createElement("iframe")
  frame.title = title
  frame.src = url
  frame.addEventListener("load", () => {
    setState(place, "ended")
    complete()
  })
  const empty = () => frame.contentDocument && !frame.contentDocument.querySelector("h1, script, pre")
  reportSilence(place, () => frame.isConnected && place.dataset.kind === "loading" && empty())
  return frame
}

/** The live region of a page: the state of the stream, the latest text, and a log of the last ten texts. */
export class Live {
  data = byId("data")
  state = byId("state")
  log = byId("log")

  setState(kind, text) {
    setState(this.state, kind, text)
  }

  /** Clear the data and the log. The times of the log count from now. */
  start(kind = "connecting") {
    this.began = performance.now()
    this.last = undefined
    this.log.replaceChildren()
    this.data.textContent = "nothing received yet"
    this.data.classList.add("waiting")
    this.setState(kind)
    clearTimeout(this.silence)
    this.silence = reportSilence(this.state, () => this.state.dataset.kind === "connecting")
  }

  show(text) {
    this.data.textContent = text // never innerHTML: received data is text
    this.data.classList.remove("waiting")
    this.log.append(this.#line(text, performance.now()))
    if (this.log.children.length > 10) this.log.firstElementChild.remove()
  }

  #line(text, now) {
    const line = document.createElement("li")
    const gap = this.last === undefined ? "" : `+${Math.round(now - this.last)} ms`
    line.append(span("text", text), span("when", `${((now - this.began) / 1000).toFixed(3)} s`), span("gap", gap))
    this.last = now
    return line
  }
}

function span(name, text) {
  const made = document.createElement("span")
  made.className = name
  made.textContent = text
  return made
}

/** Limit a stream to `seconds`, if a proxy does not pass a disconnect on. */
export function limit({ elements: { count, interval } }, seconds = PROXY_SECONDS) {
  if (proxied) count.value = Math.ceil(seconds / interval.value)
}

/** Return the query of a form: its fields that are not empty. */
export function query(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""))
}

/** Add `n` to the number in the element with this id. */
export function add(id, n = 1) {
  byId(id).textContent = Number(byId(id).textContent) + n
}

/** Set all counts of the page to 0. */
export function resetCounts() {
  for (const number of document.querySelectorAll(".counts dd")) number.textContent = "0"
}

/** Wait for `seconds`. Throw the AbortError of the signal if it was aborted meanwhile. */
export async function pause(seconds, signal) {
  await new Promise(done => setTimeout(done, seconds * 1000))
  signal.throwIfAborted()
}

/** Return why a request failed: the status, and the body if it is plain text. */
export async function reason(response) {
  const plain = response.headers.get("Content-Type")?.startsWith("text/plain")
  return plain ? `${response.status}, ${(await response.text()).trim()}` : `${response.status} ${response.statusText}`
}

/** Show why the server refused a request, and end the loop that runs while `reader.more`. A status of 500 or more may
 * come from a proxy whose server has stopped: then throw an error, as fetch does without a response. */
export async function showRefusal(live, reader, response) {
  const why = await reason(response)
  if (response.status >= 500) throw new Error(why)
  reader.more = false
  live.setState("refused", `refused: ${why}`)
}

/** Ignore an AbortError, which ends everything that the page stops; throw every other error. */
export function ignoreAbort(error) {
  if (error.name !== "AbortError") throw error
}

/** Show in `place` the lines of a module between its two marks, so that the page shows the code that runs. */
export async function showSource(url, place) {
  const response = await fetch(url)
  const text = await response.text()
  place.textContent = text.split("// <shown>\n")[1].split("// </shown>")[0].trim()
}

/** The techniques of the server, in order: the stem, the title and one line about each. */
export const techniques = fetch("../techniques").then(response => response.json())

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

async function fillHeader() {
  const links = (await techniques).map(({ stem, title }) => item(link(`${stem}.html`, title)))
  document.querySelector("header nav ul").replaceChildren(...links)
  for (const each of document.querySelectorAll("header a")) {
    if (each.pathname !== location.pathname) continue
    each.setAttribute("aria-current", "page")
    const list = each.closest("ul") // a phone shows only some of its links at a time
    if (list) list.scrollLeft = each.offsetLeft - list.offsetLeft - 16
  }
}
fillHeader()
