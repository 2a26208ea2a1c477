// What the page does beyond being read: the menu follows the width, panels become tabs, and
// everything folded is open on paper.
(() => {
  "use strict"

  const wide = matchMedia("(min-width: 60.01rem)")
  const menu = document.getElementById("menu")
  const follow = () => { menu.open = wide.matches }
  follow()
  wide.addEventListener("change", follow)
  menu.addEventListener("click", (event) => {
    if (!wide.matches && event.target.closest("a")) menu.open = false
  })

  const select = (tabs, chosen, focus) => {
    for (const tab of tabs) {
      const on = tab === chosen
      tab.setAttribute("aria-selected", String(on))
      tab.tabIndex = on ? 0 : -1
      document.getElementById(tab.getAttribute("aria-controls")).classList.toggle("open", on)
    }
    if (focus) chosen.focus()
    // Charts are laid out for the width they have, and a closed panel has none.
    window.dispatchEvent(new Event("resize"))
  }

  const STEPS = { ArrowRight: 1, ArrowLeft: -1 }

  const move = (event, tabs) => {
    const at = tabs.indexOf(event.target.closest("[role=tab]"))
    if (at < 0) return
    let next
    if (event.key in STEPS) next = (at + STEPS[event.key] + tabs.length) % tabs.length
    else if (event.key === "Home") next = 0
    else if (event.key === "End") next = tabs.length - 1
    else return
    event.preventDefault()
    select(tabs, tabs[next], true)
  }

  for (const set of document.querySelectorAll(".tabset")) {
    const list = set.querySelector("[role=tablist]")
    const tabs = [...list.querySelectorAll("[role=tab]")]
    list.hidden = false
    list.addEventListener("keydown", (event) => move(event, tabs))
    for (const tab of tabs) tab.addEventListener("click", () => select(tabs, tab, false))
    set.classList.add("on")
    select(tabs, tabs[0], false)
  }

  // A link to something inside a closed panel or a folded callout opens it first.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))
    if (!target) return
    const panel = target.closest(".tab-panel:not(.open)")
    if (panel) {
      const tab = document.getElementById(panel.getAttribute("aria-labelledby"))
      select([...tab.parentElement.querySelectorAll("[role=tab]")], tab, false)
    }
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true
    }
    target.scrollIntoView()
  }
  window.addEventListener("hashchange", reveal)
  reveal()

  // The other language opens at the same place: the same anchor, the same choice in the address.
  const carry = (event) => {
    const link = event.target.closest(".languages a")
    if (!link) return
    link.hash = location.hash
    link.search = location.search
  }
  for (const kind of ["pointerdown", "keydown", "click"]) {
    document.addEventListener(kind, carry, true)
  }

  // What is asked for by its status is shown at once.
  for (const filter of document.querySelectorAll(".filtered")) {
    filter.addEventListener("change", (event) => {
      for (const part of filter.querySelectorAll(".part")) part.open = event.target.value !== ""
    })
  }

  let folded = []
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(":is(.callout details, .part):not([open])")]
    for (const fold of folded) fold.open = true
  })
  window.addEventListener("afterprint", () => {
    for (const fold of folded) fold.open = false
  })
})()
