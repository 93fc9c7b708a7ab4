// Lanes: a live picture of what a client and a server send each other. Time runs from left to right. The client's line
// is above, the server's line below. Each mark grows from the line of its sender; its height is log2 of its bytes.
//
// Data model (times in ms of performance.now(), sizes in bytes):
// - connection: id, t, lane (a name; connections of one lane follow each other, and each lane has its own lines),
//   end { how, by, t }, where `how` is complete, interrupted, lost, failed or disconnected
// - item: id, from (client or server), kind (request, response or message), t, bytes, about (the size is an estimate),
//   text (its label), status (of a response), format (of a message: event, json, frame, part or script),
//   link { to, name } (the id of an earlier item, and the header that carries it)
//
// A page reports facts as they happen; nothing here reads a network. Each animation frame moves one group of the SVG and
// stretches what still grows. Only marks inside the time window are elements of the page, and messages that would be
// drawn less than two pixels apart are one mark.

const PER_BIT = .038 // height of a mark, as part of the lane, for each bit of log2(bytes)
const MERGE = 2 // pixels
const AFTER = 1600 // ms that a paused picture shows after the last event
const [WIDE, NARROW] = [10, 6] // seconds shown
const ROWS = 30
const ARROW = { client: "client → server", server: "server → client" }
const ENDS = {
  complete: "complete",
  interrupted: "interrupted",
  lost: "connection lost",
  failed: "no response",
  disconnected: "client disconnects",
}
const HOW_TO_READ = "Time runs from left to right. The client’s line is above and the server’s line is below. Each "
  + "mark starts at the line of its sender. A taller mark has more bytes: each step up doubles them. A filled band is "
  + "an open connection. A hatched bar is a request that waits for its response. A hollow arrow is a response without "
  + "a body. The page estimates the sizes of headers, because a script cannot see all of them."

const motion = matchMedia("(prefers-reduced-motion: reduce)")
let number = 0

export class Lanes {
  /** Draw in `place`, a figure. `names` are the lanes from top to bottom. */
  constructor(place, { names = [""], title = "What the client and the server send" } = {}) {
    this.lanes = names.map(name => ({ name, labels: { client: [], server: [] } }))
    this.connections = []
    this.marks = []
    this.spansAndEnds = []
    this.growing = new Set()
    this.changed = new Set()
    this.waiting = []
    this.rows = []
    this.stopAt = Infinity
    this.place = place
    this.build(title)
    this.measure()
    new ResizeObserver(() => this.measure()).observe(this.svg)
    new IntersectionObserver(([{ isIntersecting }]) => { this.visible = isIntersecting }).observe(this.svg)
    motion.addEventListener("change", () => this.run())
  }

  /** Begin a connection; return it. */
  open({ id = ++number, lane = "", t = performance.now() } = {}) {
    const connection = new Connection(this, { id, lane: this.lanes.find(({ name }) => name === lane), t })
    this.origin ??= t
    this.stopAt = Infinity
    this.later(() => this.begin(connection))
    return connection
  }

  /** Send a request with fetch, draw it, its response and each read of its body. `label` names the text of a read. */
  async fetch(url, options = {}, label = () => "") {
    const wire = this.open()
    wire.request({ ...options, url })
    try {
      const response = await fetch(url, options)
      wire.response(response)
      follow(wire, response.clone(), label)
      return response
    } catch (error) {
      wire.fail(error, "failed")
      throw error
    }
  }

  /** Draw what an EventSource receives: its events with these names. Return a function that draws its close(). */
  watchSource(source, names = ["message"]) {
    let wire, latest
    const connect = () => {
      wire = this.open()
      wire.request({ url: source.url, link: latest && { to: latest.id, name: "Last-Event-ID" } })
    }
    connect()
    source.addEventListener("open", () => {
      if (wire.ended) connect() // the browser has reconnected: a page sees that only now
      wire.response()
    })
    for (const name of names) {
      source.addEventListener(name, event => {
        const item = wire.message({ format: "event", bytes: eventBytes(event), text: event.data })
        if (event.lastEventId) latest = item
      })
    }
    source.addEventListener("error", () => {
      if (wire.ended) connect()
      if (wire.responded) wire.close("lost")
      else wire.close("failed", source.readyState === EventSource.CLOSED ? { text: "no event stream" } : {})
    })
    return () => wire.close("disconnected")
  }

  /** Draw what a WebSocket receives. Return its connection, for what the page sends. */
  watchSocket(socket) {
    const wire = this.open()
    wire.request({ url: socket.url })
    socket.addEventListener("open", () => wire.response({ status: 101 }))
    socket.addEventListener("message", ({ data }) => wire.frame("server", data))
    socket.addEventListener("close", ({ wasClean, code }) => {
      if (wasClean) wire.close("complete", { text: `code ${code}` })
      else wire.close(wire.responded ? "interrupted" : "failed")
    })
    return wire
  }

  /** Stop scrolling soon after now, until the next connection opens. */
  pause(t = performance.now()) {
    this.stopAt = Math.min(this.stopAt, t + AFTER)
    this.later(() => this.lanes.forEach(lane => this.drop(lane)))
  }

  /** Draw something with the next frame. A page that is not shown has no frames, so the queue is bounded. */
  later(step) {
    this.waiting.push(step)
    if (this.waiting.length > 500) this.take()
    if (!this.running) this.run()
  }

  // ---- The fixed parts

  build(title) {
    const id = `lanes-${++number}`
    this.svg = draw("svg", { role: "img", "aria-label": title, "aria-describedby": `${id}-summary` })
    this.clip = draw("rect", { y: 0, height: "100%" })
    this.fixed = draw("g")
    this.grid = draw("g", { class: "grid" })
    this.back = draw("g")
    this.front = draw("g")
    this.moving = draw("g", {}, this.grid, this.back, this.front)
    this.svg.append(
      draw("defs", {}, draw("clipPath", { id: `${id}-past` }, this.clip), ...patterns(id)),
      this.fixed,
      draw("g", { "clip-path": `url(#${id}-past)` }, this.moving),
    )
    this.place.style.setProperty("--hatch", `url(#${id}-hatch)`)
    this.place.style.setProperty("--up", `url(#${id}-up)`)
    this.place.style.setProperty("--down", `url(#${id}-down)`)
    this.summary = make("figcaption", { id: `${id}-summary` }, "No request yet.")
    this.body = make("tbody")
    const head = ["Time", "Direction", "What", "Bytes"].map(text => make("th", { scope: "col" }, text))
    this.details = make("details", {},
      make("summary", {}, "How to read this, and the same as text"),
      make("p", {}, HOW_TO_READ),
      make("div", { role: "log", "aria-live": "off", "aria-label": "The same as text" },
        make("table", {}, make("thead", {}, make("tr", {}, ...head)), this.body)))
    this.details.addEventListener("toggle", () => this.write(true))
    this.place.replaceChildren(this.svg, this.summary, this.details)
  }

  /** Choose the scale for the width, and draw everything again. */
  measure() {
    const width = this.svg.clientWidth
    if (!width || width === this.width) return
    this.width = width
    this.gutter = 50
    this.plot = width - this.gutter - 6
    this.seconds = width > 520 ? WIDE : NARROW
    this.scale = this.plot / (this.seconds * 1000)
    const many = this.lanes.length > 1
    this.size = many ? 78 : 104
    this.lanes.forEach((lane, n) => {
      lane.client = 24 + n * (this.size + 24) + (many ? 14 : 0)
      lane.server = lane.client + this.size
    })
    this.height = this.lanes.at(-1).server + 8
    set(this.svg, { viewBox: `0 0 ${width} ${this.height}`, height: this.height })
    set(this.clip, { x: this.gutter, width: 0 })
    this.fixed.replaceChildren(...this.lanes.flatMap(lane => this.frame(lane)))
    this.again()
  }

  frame({ name, client, server }) {
    const right = this.gutter + this.plot
    const parts = []
    for (const [who, y] of [["client", client], ["server", server]]) {
      parts.push(
        draw("line", { class: "ghost", x1: this.gutter, x2: right, y1: y, y2: y }),
        words(who, this.gutter - 8, y + 4, { class: who, "text-anchor": "end" }),
      )
    }
    if (name) parts.push(words(name, this.gutter, client - 8, { class: "name" }))
    return parts
  }

  /** Draw all connections and marks anew, with times counted from the left end of the window. */
  again() {
    const { connections, marks } = this
    for (const layer of [this.grid, this.back, this.front]) layer.replaceChildren()
    for (const lane of this.lanes) Object.assign(lane, { idle: undefined, labels: { client: [], server: [] } })
    this.growing = new Set()
    Object.assign(this, { connections: [], marks: [], spansAndEnds: [], second: undefined })
    if (this.base === undefined) return
    this.base = Math.max(this.origin, this.now() - this.seconds * 1000)
    const steps = connections.map(connection => [connection.t, () => this.begin(connection.reset())])
    for (const item of marks) steps.push([item.t, () => this.mark(Object.assign(item, { node: undefined }))])
    for (const connection of connections) {
      if (connection.ended) steps.push([connection.ended.t, () => this.finish(connection)])
    }
    steps.sort(([a], [b]) => a - b).forEach(([, step]) => step())
    this.draw()
  }

  // ---- What happens

  x(t) {
    return (t - this.base) * this.scale
  }

  now() {
    return Math.min(performance.now(), this.stopAt)
  }

  begin(connection) {
    const { lane, t } = connection
    this.base ??= t
    this.connections.push(connection)
    if (lane.idle) this.fix(lane.idle, t)
    lane.idle = undefined
    connection.tube = this.grow("tube", lane, t, [
      draw("rect", { class: "tube", y: lane.client, height: this.size }),
      draw("rect", { class: "up", y: lane.client + this.size * .4, height: this.size * .6 }),
      draw("rect", { class: "down", y: lane.client, height: this.size * .6 }),
      draw("line", { class: "rail client", y1: lane.client, y2: lane.client }),
      draw("line", { class: "rail server", y1: lane.server, y2: lane.server }),
    ])
  }

  mark(item) {
    const { connection, from, kind } = item
    if (!this.connections.includes(connection)) return // forgotten: it ended before the window
    this.rest(connection, item)
    const before = connection.marks.findLast(mark => mark.from === from)
    const apart = before ? this.x(item.t) - this.x(before.t) : Infinity
    if (kind === "message" && before?.kind === "message" && apart < MERGE) return this.merge(before, item)
    const piled = before?.kind === "response" && apart < 7
    this.marks.push(item)
    connection.marks.push(item)
    item.base = piled ? before.top : connection.lane[from]
    item.dense = before?.kind === "message" && apart < 11
    this.shape(item)
    this.label(item, piled)
    if (kind === "request") connection.held = this.grow("held", connection.lane, item.t, bar())
    if (kind === "response") connection.tube.node.classList.add(item.status === 101 ? "both" : "down")
    if (item.link) this.arc(item)
  }

  /** Write beside a mark; shorten the labels before it that reach so far. */
  label(item, piled) {
    const { labels } = item.connection.lane
    const text = item.kind === "response" ? String(item.status) : item.text
    if (!piled) labels[item.from].splice(0).forEach(label => label.end(this.x(item.t)))
    if (!text) return
    item.label = new Label(text, this.x(item.t), item)
    labels[item.from].push(item.label)
    item.node.append(item.label.node)
  }

  /** Record the time since the last mark; end the span that shows it. */
  rest(connection, { t, kind }) {
    if (connection.held && kind === "response") {
      this.fix(connection.held, t)
      connection.held = undefined
    }
    this.listen(connection, t)
    if (connection.silence) this.fix(connection.silence, t)
    connection.silence = undefined
    if (t < connection.latest) return // drawn again
    if (connection.latest !== undefined) connection.gaps = [...connection.gaps.slice(-8), t - connection.latest]
    connection.latest = t
  }

  merge(mark, { bytes, count = 1 }) {
    mark.bytes += bytes
    mark.count = (mark.count ?? 1) + count
    mark.label?.end(0)
    this.changed.add(mark)
  }

  finish(connection) {
    const { lane, tube, ended, marks } = connection
    if (!this.connections.includes(connection)) return
    for (const name of ["held", "silence"]) if (connection[name]) this.fix(connection[name], ended.t)
    connection.held = connection.silence = undefined
    const latest = Math.max(connection.t, ...marks.slice(-1).map(({ t }) => t))
    const x = Math.max(this.x(ended.t), this.x(latest) + 6) // right of the last mark
    this.fix(tube, this.base + x / this.scale)
    for (const who of ["client", "server"]) lane.labels[who].splice(0).forEach(label => label.end(x))
    const node = ending(ended, x, lane, marks.filter(({ kind }) => kind === "message").length < 2)
    this.front.append(node)
    this.spansAndEnds.push({ node, to: ended.t + 1500 })
    if (ended.how !== "disconnected") lane.idle = this.grow("idle", lane, Math.max(latest, ended.t), bracket(), 700)
  }

  /** Stop measuring how long no connection is open. */
  drop(lane) {
    if (!lane.idle) return
    this.growing.delete(lane.idle)
    lane.idle.node.remove()
    lane.idle = undefined
  }

  // ---- What is drawn

  shape(item) {
    const { connection: { lane }, from, kind, bytes, base, status, format } = item
    const down = from === "client" ? 1 : -1
    const other = lane[from === "client" ? "server" : "client"]
    const tallest = Math.max(12, Math.abs(other - base) - 14)
    item.tip = base + down * Math.min(tallest, Math.max(4, Math.log2(1 + bytes) * this.size * PER_BIT))
    const x = this.x(item.t)
    const parts = kind === "message" ? this.message(item, x, down) : this.header(item, x, down)
    const node = draw("g", { class: `mark ${from}${status >= 400 ? " bad" : ""}`, "data-kind": kind })
    if (format) node.dataset.format = format
    if (status) node.dataset.status = status
    if (item.count) node.dataset.count = item.count
    node.append(flight(x, item.top, other, down), ...parts)
    if (item.node) item.node.replaceWith(node)
    else this.front.append(node)
    item.node = node
  }

  /** Draw the header section of a request or a response; without a body it is hollow. */
  header(item, x, down) {
    const { base, tip, status } = item
    const style = status === 304 || status === 204 ? "open" : "ink"
    item.top = tip + down * 7
    return [
      draw("rect", { class: style, x: x - 2, width: 4, y: Math.min(base, tip), height: Math.abs(tip - base) }),
      draw("path", { class: style, d: `M${x - 5.5} ${tip}h11l-5.5 ${7 * down}z` }),
    ]
  }

  message(item, x, down) {
    const { base, tip, format, dense } = item
    const r = dense ? 2.6 : format === "part" ? 6 : 4.8
    item.top = tip + down * 2 * r
    const foot = `M${x - 3.5} ${item.connection.lane[item.from]}h7`
    return [draw("path", { class: "stem", d: `M${x} ${base}V${tip}${foot}` }), glyph(format, x, tip + down * r, r)]
  }

  /** Connect the item that a header names with the request that carries the header. */
  arc(item) {
    const to = this.marks.find(({ id }) => id === item.link.to)
    if (!to) return
    const [x1, y1, x2, y2] = [this.x(to.t), to.top, this.x(item.t), item.tip]
    const bend = Math.min(70, (x2 - x1) / 2)
    const curve = `M${x1} ${y1}C${x1 + bend * .3} ${y1 - 30} ${x2 - bend} ${y2 + 10} ${x2 - 7} ${y2}`
    const ring = draw("circle", { class: "ring", cx: x1, cy: to.tip - 4.8, r: 8 })
    const node = draw("g", { class: "arc" }, ring, draw("path", { class: "link", d: curve }))
    this.front.append(node)
    this.spansAndEnds.push({ node, to: item.t })
  }

  // ---- What grows with time

  grow(kind, lane, from, parts, least = 0) {
    const span = { kind, lane, from, least, parts, node: draw("g", { class: `span ${kind}` }, ...parts) }
    const layer = kind === "tube" ? this.back : this.front
    if (kind === "tube") layer.append(span.node)
    else layer.prepend(span.node)
    this.growing.add(span)
    this.spansAndEnds.push(span)
    return span
  }

  fix(span, t) {
    this.growing.delete(span)
    span.to = t
    this.stretch(span, t)
  }

  stretch(span, t) {
    const x = this.x(span.from)
    const width = Math.max(0, (t - span.from) * this.scale)
    const middle = span.lane.client + this.size * (span.kind === "held" ? .62 : .5)
    if (span.kind === "tube") stretchTube(span.parts, x, width)
    else if (span.kind === "held") stretchBar(span.parts, x, width, middle, t - span.from)
    else stretchBracket(span.parts, x, t - span.from < span.least ? 0 : width, middle, t - span.from)
  }

  /** Show a silence once it is at least a second, and three times as long as the gaps before it. */
  listen(connection, now) {
    if (connection.ended || connection.held || connection.silence || connection.latest === undefined) return
    const gaps = [...connection.gaps].sort((a, b) => a - b)
    const least = Math.max(1000, 3 * (gaps[gaps.length >> 1] ?? 0))
    if (now - connection.latest < least) return
    connection.silence = this.grow("silence", connection.lane, connection.latest, bracket())
  }

  // ---- Time

  /** Draw with each animation frame, or once a second if the reader asks for less motion. */
  run() {
    cancelAnimationFrame(this.request)
    clearInterval(this.timer)
    this.running = true
    if (motion.matches) this.timer = setInterval(() => this.step(), 1000)
    else this.request = requestAnimationFrame(() => this.step())
  }

  step() {
    if (this.visible !== false && !document.hidden) this.draw()
    this.running = performance.now() < this.stopAt || this.waiting.length > 0
    if (!this.running) clearInterval(this.timer)
    else if (!motion.matches) this.request = requestAnimationFrame(() => this.step())
  }

  /** Bring the picture up to now. */
  draw(now = this.now()) {
    if (!this.width) return
    this.take()
    if (this.base === undefined) return
    // The first seconds fill the window from the left; then it moves, and now is at its right end.
    const left = Math.min(this.gutter + this.plot - this.x(now), this.gutter + 8 - this.x(this.origin))
    this.moving.setAttribute("transform", `translate(${left.toFixed(2)} 0)`)
    const width = Math.max(0, Math.min(this.plot, left + this.x(now) - this.gutter))
    this.clip.setAttribute("width", width.toFixed(2))
    for (const connection of this.connections) this.listen(connection, now)
    for (const span of this.growing) this.stretch(span, now)
    const second = Math.floor((now - this.origin) / 1000)
    if (second !== this.second) this.everySecond(second, now)
  }

  take() {
    const steps = this.waiting
    this.waiting = []
    for (const step of steps) step()
    for (const mark of this.changed) this.shape(mark)
    this.changed.clear()
  }

  everySecond(second, now) {
    this.second = second
    if (this.x(now) > 50_000) return this.again()
    this.forget(now - this.seconds * 1000 - 1500)
    this.rule(second)
    this.write()
  }

  /** Remove all that ended before the window. A request that still waits is kept. */
  forget(oldest) {
    const old = ({ t, connection }) => t < oldest && !connection.held
    for (const { node } of this.marks.filter(old)) node.remove()
    this.marks = this.marks.filter(mark => !old(mark))
    this.connections = this.connections.filter(({ ended }) => !ended || ended.t >= oldest)
    for (const connection of this.connections) connection.marks = connection.marks.filter(mark => !old(mark))
    const ended = ({ to = Infinity }) => to < oldest
    for (const { node } of this.spansAndEnds.filter(ended)) node.remove()
    this.spansAndEnds = this.spansAndEnds.filter(span => !ended(span))
  }

  /** Draw the line and the label of each second in the window. */
  rule(second) {
    const step = this.scale * 1000 < 40 ? 2 : 1
    const marks = []
    for (let n = Math.max(0, second - this.seconds - 1); n <= second + 2; n++) {
      if (n % step) continue
      const x = this.x(this.origin + n * 1000)
      marks.push(draw("line", { x1: x, x2: x, y1: 16, y2: this.height }))
      marks.push(words(`${n} s`, x, 11, { "text-anchor": "middle" }))
    }
    this.grid.replaceChildren(...marks)
  }

  // ---- The same as text

  note(t, from, what, bytes, about) {
    const time = `${((t - this.origin) / 1000).toFixed(3)} s`
    this.rows.push([time, ARROW[from], what, bytes ? `${about ? "about " : ""}${bytes}` : ""])
    if (this.rows.length > ROWS) this.rows.shift()
  }

  write() {
    this.summary.textContent = this.summarize()
    if (!this.details.open) return
    this.body.replaceChildren(...this.rows.map(row => make("tr", {}, ...row.map(text => make("td", {}, text)))))
  }

  summarize() {
    const since = this.now() - this.seconds * 1000
    const by = who => this.marks.filter(({ t, from }) => t >= since && from === who)
    const count = (kind, who) => sum(by(who).filter(mark => mark.kind === kind).map(mark => mark.count ?? 1))
    const sent = who => sum(by(who).map(({ bytes }) => bytes))
    const up = count("message", "client")
    const parts = [
      plural(count("request", "client"), "request"),
      plural(count("response", "server"), "response"),
      plural(count("message", "server"), "message"),
    ]
    if (up) parts.push(`${up} from the client`)
    return `Last ${this.seconds} s: ${parts.join(", ")}; about ${size(sent("client"))} up, ${size(sent("server"))} down.`
  }
}

/** One connection of a page. Its methods report what the page sees; each has a time, now by default. */
class Connection {
  constructor(lanes, { id, lane, t }) {
    Object.assign(this, { lanes, id, lane, t, gaps: [] })
    this.reset()
  }

  reset() {
    // Its latest time and its gaps stay as they are when all is drawn again.
    return Object.assign(this, { marks: [], held: undefined, silence: undefined })
  }

  /** Report a request; its size is an estimate from its address, its headers and its body. */
  request({ url, method = "GET", headers = {}, body = "", link, t }) {
    const { pathname, search } = new URL(url, location)
    const text = `${method} /${pathname.split("/").at(-1)}${search}`
    const own = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
    const bytes = pathname.length + search.length + navigator.userAgent.length + 300 + own + bytesOf(body)
    return this.add({ kind: "request", from: "client", bytes, about: true, text, link, t })
  }

  /** Report that the header section of a response has come. `headers` are those that the page can read. */
  response({ status = 200, headers = [], t } = {}) {
    this.responded = true
    const seen = [...headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
    return this.add({ kind: "response", from: "server", status, bytes: seen + 110, about: true, t })
  }

  /** Report a message: an event, a JSON document, a WebSocket frame, a part or a script. */
  message({ from = "server", ...item }) {
    return this.add({ kind: "message", from, ...item })
  }

  /** Report a WebSocket frame with this text. */
  frame(from, text) {
    return this.message({ from, format: "frame", bytes: frameBytes(text, from === "client"), text })
  }

  /** Report that a request or a read has failed. */
  fail(error, how) {
    this.close(error.name === "AbortError" ? "disconnected" : how)
  }

  add({ t = performance.now(), id = ++number, ...rest }) {
    const item = { ...rest, t, id, connection: this }
    this.lanes.note(t, item.from, describe(item), item.bytes, item.about)
    this.lanes.later(() => this.lanes.mark(item))
    return item
  }

  /** Report the end; only the first one counts. */
  close(how, { by = how === "disconnected" ? "client" : "server", t = performance.now(), text = ENDS[how] } = {}) {
    if (this.ended) return
    this.ended = { how, by, t, text }
    this.lanes.note(t, by, text)
    this.lanes.later(() => this.lanes.finish(this))
  }
}

/** Draw each read of a body, and its end. */
async function follow(wire, { body }, label) {
  const text = new TextDecoder()
  try {
    const reader = body?.getReader()
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true }
      if (done) return wire.close("complete")
      const read = text.decode(value, { stream: true })
      wire.message({ format: "json", bytes: value.length, text: named(label, read) })
    }
  } catch (error) {
    wire.fail(error, "interrupted")
  }
}

/** The label of a read; none if the read is not a complete document. */
function named(label, text) {
  try {
    return label(text)
  } catch {
    return ""
  }
}

/** A text beside a mark, shortened or removed if the next mark comes too close. */
class Label {
  constructor(text, x, { kind, tip, format, from, connection: { lane } }) {
    this.text = text
    this.x = x + (format === "json" || format === "script" ? 12 : 9)
    const beside = tip + (from === "client" ? 9 : -1)
    const y = kind === "request" ? lane.client + 15 : kind === "response" ? lane.server - 6 : beside
    this.node = words(text, this.x, y, { class: "label" })
  }

  end(x) {
    const fits = Math.floor((x - this.x - 8) / 6.7)
    if (fits >= this.text.length) return
    this.node.textContent = fits < 6 ? "" : `${this.text.slice(0, fits - 1)}…`
  }
}

function describe({ kind, format, status, text = "" }) {
  if (kind === "response") return `response ${status}`
  return kind === "request" ? text : `${format} ${text}`
}

// ---- Sizes

export function bytesOf(text) {
  return new TextEncoder().encode(text).length
}

/** The bytes of an event as a server writes it. A page cannot see comments, or the chunk around the event. */
export function eventBytes({ data, type = "message", lastEventId = "" }) {
  const lines = data.split("\n").map(line => `data: ${line}\n`).join("")
  const name = type === "message" ? "" : `event: ${type}\n`
  return bytesOf(`${lastEventId && `id: ${lastEventId}\n`}${name}${lines}\n`)
}

/** The bytes of a WebSocket frame, header included; a client masks what it sends (RFC 6455, 5.2). */
export function frameBytes(payload, masked) {
  const n = bytesOf(payload)
  return n + 2 + (n > 65535 ? 8 : n > 125 ? 2 : 0) + (masked ? 4 : 0)
}

function size(bytes) {
  return bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(1)} kB`
}

function sum(numbers) {
  return numbers.reduce((total, n) => total + n, 0)
}

function plural(n, word) {
  return `${n} ${word}${n === 1 ? "" : "s"}`
}

function duration(ms) {
  return ms < 1000 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(1)} s`
}

// ---- Shapes

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  return node
}

function draw(name, attributes = {}, ...children) {
  const node = set(document.createElementNS("http://www.w3.org/2000/svg", name), attributes)
  node.append(...children)
  return node
}

function make(name, attributes = {}, ...children) {
  const node = set(document.createElement(name), attributes)
  node.append(...children)
  return node
}

function words(text, x, y, attributes) {
  return draw("text", { x, y, ...attributes }, text)
}

function patterns(id) {
  const fade = (name, y1, y2, who) => draw("linearGradient", { id: `${id}-${name}`, x1: 0, x2: 0, y1, y2 },
    draw("stop", { offset: 0, class: `${who} fade` }), draw("stop", { offset: 1, class: `${who} fade none` }))
  const tile = { width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }
  const stripe = draw("rect", { class: "client ink stripe", width: 2.2, height: 6 })
  const hatch = draw("pattern", { id: `${id}-hatch`, ...tile }, stripe)
  return [hatch, fade("up", 1, 0, "server"), fade("down", 0, 1, "client")]
}

function glyph(format, x, y, r) {
  const sign = { json: "{}", script: "<>" }[format]
  if (sign && r > 3) return words(sign, x, y + 4.5, { class: "sign", "text-anchor": "middle" })
  const square = { x: x - r, y: y - r, width: 2 * r, height: 2 * r }
  if (format === "frame") return draw("rect", { class: "ink edge", ...square, transform: `rotate(45 ${x} ${y})` })
  if (format === "part") return draw("rect", { class: "open", ...square, rx: 1.5 })
  return draw("circle", { class: "ink edge", cx: x, cy: y, r })
}

/** A thin line from a mark to the other side. */
function flight(x, from, to, down) {
  const y = to - 2 * down
  return draw("path", { class: "flight", d: `M${x} ${from}V${y}m-3 ${-4 * down}l3 ${4 * down}l3 ${-4 * down}` })
}

const ENDINGS = {
  complete: (x, top, bottom) => [["thin", `M${x} ${top}V${bottom}`], ["thick", `M${x + 4.5} ${top}V${bottom}`]],
  interrupted: torn,
  lost: torn,
  failed: (x, top, bottom) => [["stroke", `M${x - 6} ${(top + bottom) / 2 - 6}l12 12m0 -12l-12 12`]],
  disconnected: (x, top, bottom) => [["thin", `M${x} ${bottom}V${top - 6}`], ["stroke", `M${x - 5} ${top}l5 -6l5 6`]],
}

function torn(x, top, bottom) {
  const step = (bottom - top + 6) / 8
  const teeth = Array.from({ length: 8 }, (_, n) => `L${x + (n % 2 ? -4 : 5)} ${top - 3 + step * (n + .5)}`).join("")
  const edge = `M${x} ${top - 3}${teeth}L${x} ${bottom + 3}`
  return [["gap", `${edge}h9V${top - 3}z`], ["stroke", edge]]
}

function ending({ how, by, text }, x, { client, server }, single) {
  const bad = how === "interrupted" || how === "lost" || how === "failed"
  const node = draw("g", { class: `end ${bad ? "bad" : by}`, "data-how": how })
  const lines = ENDINGS[how](x, client, server).slice(0, single && how === "complete" ? 1 : 2)
  node.append(...lines.map(([name, d]) => draw("path", { class: name, d })))
  if (how !== "complete" || text !== ENDS.complete) node.append(words(text, x + 12, client + 15, { class: "why" }))
  return node
}

function bar() {
  return [draw("rect", { class: "hatched", rx: 6 }), draw("text", { class: "time", "text-anchor": "middle" })]
}

function bracket() {
  return [draw("path", { class: "dim" }), draw("text", { class: "time", "text-anchor": "middle" })]
}

function stretchTube(parts, x, width) {
  const [from, wide] = [x - 5, Math.max(10, width + 5)]
  for (const part of parts) {
    if (part.tagName === "rect") set(part, { x: from, width: wide })
    else set(part, { x1: from, x2: from + wide })
  }
}

function stretchBar([rect, text], x, width, middle, ms) {
  set(rect, { x, width: width < 4 ? 0 : width, y: middle - 7, height: 14 })
  caption(text, x + width / 2, middle, width > 56 ? `${width > 96 ? "held " : ""}${duration(ms)}` : "")
}

function stretchBracket([path, text], x, width, middle, ms) {
  const [a, b, m] = [x + 10, x + width - 4, x + width / 2 + 3]
  const half = width > 56 ? 22 : 0 // half of the break for the text
  const line = width > 70 || !half ? `M${a} ${middle}H${m - half}M${m + half} ${middle}H${b}` : ""
  path.setAttribute("d", width < 30 ? "" : `M${a} ${middle - 5}v10M${b} ${middle - 5}v10${line}`)
  caption(text, m, middle, half ? duration(ms) : "")
}

function caption(text, x, y, words) {
  set(text, { x, y: y + 4 })
  if (text.textContent !== words) text.textContent = words
}
