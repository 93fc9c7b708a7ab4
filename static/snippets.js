// The page of script snippets: a page that never has to end, in a frame one sees and in a frame one does not.

import { Live, asked, byId, newFrame, opaque, say, showSource, whileShown } from "./base.js"

const form = byId("ask")
const live = new Live()

// <shown>
// The scripts of the hidden page say parent.show(text): this is the parent.
window.show = text => live.show(text)

function startHidden() {
  const url = `../snippets?frame=1&${asked(form)}`
  const frame = newFrame(url, "The hidden page", () => live.say("ended"))
  live.start("loading")
  byId("hidden").replaceChildren(frame)
}

function stopHidden() {
  byId("hidden").replaceChildren() // no frame, no connection
  live.say("stopped")
}
// </shown>

function startVisible() {
  const state = byId("visible-state")
  const frame = newFrame(`../snippets?${asked(form)}`, "The streamed page", () => say(state, "ended"))
  say(state, "loading")
  byId("visible").replaceChildren(frame)
}

function stopVisible() {
  byId("visible").replaceChildren()
  say(byId("visible-state"), "stopped")
}

function start() {
  startVisible()
  if (opaque) live.say("foreign")
  else startHidden()
}

function stop() {
  stopVisible()
  if (!opaque) stopHidden()
}

form.addEventListener("submit", event => {
  event.preventDefault()
  start()
})
byId("attack").addEventListener("click", () => {
  form.elements.word.value = '</script><script>alert("it ran")</script>'
  start()
})
byId("stop").addEventListener("click", stop)
whileShown(start, stop)
showSource(import.meta.url, byId("source"))
