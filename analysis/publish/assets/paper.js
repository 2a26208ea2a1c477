// Makes one document for paper out of the pages of a report, before it is printed: ids of their
// own for each page, links that stay inside, numbers of chapters, one list of contents and one of
// addresses, charts as plain pictures. Runs once; what it leaves needs no script any more.
(() => {
  "use strict";

  const ON_SCREEN_ONLY = ".pager, .tools, .tab-list, .filter, .references, .kicker, noscript, style";
  const REFERENCES = ["aria-labelledby", "aria-describedby", "aria-controls", "headers", "for"];
  const chapters = [...document.querySelectorAll("section.chapter")];
  const anchor = (page, id) => `${page}.${id}`;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function prune(part) {
    for (const one of part.querySelectorAll(ON_SCREEN_ONLY)) one.remove();
    for (const fold of part.querySelectorAll("details")) fold.open = true;
    for (const one of part.querySelectorAll("[tabindex], [role^=tab]")) {
      one.removeAttribute("tabindex");
      one.removeAttribute("role");
    }
  }

  function rename(part, page) {
    for (const one of part.querySelectorAll("[id]")) one.id = anchor(page, one.id);
    for (const name of REFERENCES) {
      for (const one of part.querySelectorAll(`[${name}]`)) {
        const ids = one.getAttribute(name).split(/\s+/);
        one.setAttribute(name, ids.map((id) => anchor(page, id)).join(" "));
      }
    }
  }

  /* The first page, and a page as a whole, are where their chapter begins. */
  function destination(href, page) {
    const [, file, id] = href.match(/^(?:([\w-]+)\.html)?(?:#(.*))?$/) || [];
    const name = file || (id && page);
    if (!name) return null;
    const target = id ? anchor(name, decodeURIComponent(id)) : name;
    return document.getElementById(target) && target;
  }

  /* A file beside the pages is not in the document: its link becomes its name. */
  function relink(part, page, addresses) {
    for (const link of part.querySelectorAll("a[href]")) {
      const href = link.getAttribute("href");
      if (/^(https?|mailto):/.test(href)) {
        number(link, href, addresses);
        continue;
      }
      const target = destination(href, page);
      if (target) link.href = `#${encodeURIComponent(target)}`;
      else link.replaceWith(...link.childNodes, ...fileName(href));
    }
  }

  function fileName(href) {
    const [, name] = href.match(/^downloads\/([^#?]+)$/) || [];
    return name ? [" ", element("code", "", name)] : [];
  }

  function number(link, href, addresses) {
    if (!addresses.includes(href)) addresses.push(href);
    const mark = link.nextElementSibling;
    if (mark && mark.matches(".link-number")) mark.textContent = addresses.indexOf(href) + 1;
  }

  /* Figure 2 of the third chapter is Figure 3.2, since each page numbers its own. */
  function countFloats(chapter) {
    const places = ".float-number, a.quarto-xref[href*='#fig-'], a.quarto-xref[href*='#tbl-']";
    for (const one of chapter.querySelectorAll(places)) {
      const target = one.matches("a") && one.getAttribute("href").match(/^([\w-]+)\.html/);
      const home = (target && document.getElementById(target[1])) || chapter;
      one.textContent = one.textContent.replace(/\d+/, `${home.dataset.number}.$&`);
    }
  }

  /* The heading of a chapter is its short title; a finding that headed the page comes under it. */
  function head(chapter) {
    const heading = chapter.querySelector("h1");
    const { number: count, title } = chapter.dataset;
    if (heading.textContent.trim() !== title) {
      const finding = element("p", "headline");
      finding.append(...heading.childNodes);
      heading.after(finding);
    }
    heading.replaceChildren(element("span", "count", count), ` ${title}`);
  }

  function line(id, label, className, count) {
    const item = element("li", className);
    const link = element("a");
    link.href = `#${encodeURIComponent(id)}`;
    if (count) link.append(element("span", "count", count), " ");
    link.append(element("span", "label", label), element("span", "dots"));
    const page = element("span", "page-number");
    page.dataset.page = id;
    link.append(page);
    item.append(link);
    return item;
  }

  function contents() {
    const list = document.querySelector(".contents ol");
    for (const chapter of document.querySelectorAll("section.chapter, section.colophon")) {
      const { title, number: count } = chapter.dataset;
      list.append(line(chapter.id, title, "of-chapter", count));
      for (const section of chapter.querySelectorAll("section.level2[id]")) {
        list.append(line(section.id, section.querySelector("h2").textContent, "of-section"));
      }
    }
  }

  function listAddresses(addresses) {
    const list = document.querySelector(".addresses ol");
    for (const address of addresses) list.append(element("li", "", address));
    if (!addresses.length) list.closest(".addresses").remove();
  }

  const SVG = "http://www.w3.org/2000/svg";
  const TOKEN = /var\((--[\w-]+)\)/g;

  /* The still picture of a chart becomes an image: Chromium tags images with their text for those
     who do not see them, and nothing else. It stands alone, with the colours of the page in it. */
  function still(chart) {
    const box = chart.querySelector(".still.wide");
    const inner = box.querySelector("svg");
    const width = Number(chart.dataset.ground);
    const [left, right] = [box.style.paddingLeft, box.style.paddingRight].map(parseFloat);
    const height = heightOf(chart);
    const drawing = document.createElementNS(SVG, "svg");
    const size = { width, height, viewBox: `0 0 ${width} ${height}` };
    Object.entries(size).forEach((pair) => drawing.setAttribute(...pair));
    const style = document.createElementNS(SVG, "style");
    style.textContent = "text { font: 14px var(--sans); font-variant-numeric: tabular-nums }"
      + ".halo { paint-order: stroke; stroke-linejoin: round; stroke-width: 5px }";
    const place = { x: left, width: width - left - right, overflow: "visible" };
    Object.entries(place).forEach((pair) => inner.setAttribute(...pair));
    inner.setAttribute("fill", "var(--ink)");
    drawing.append(style, inner);
    const colours = getComputedStyle(chart);
    const text = new XMLSerializer().serializeToString(drawing).replace(
      TOKEN, (whole, token) => colours.getPropertyValue(token).trim());
    const image = element("img");
    image.alt = chart.getAttribute("aria-label");
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
    chart.replaceChildren(image);
    chart.dataset.drawn = "true";
    for (const name of ["role", "style", "aria-label", "aria-describedby"]) {
      chart.removeAttribute(name);
    }
  }

  function heightOf(chart) {
    return Number(chart.querySelector(".still.wide svg").getAttribute("height"));
  }

  /* Chapters are laid out in columns of the size of a sheet, which break as sheets do. A chart
     drawn on a wider ground is lower on paper, and its type smaller: where a figure would leave a
     gap behind, it and those before it on the sheet are, if that makes it fit. */
  const GROUNDS = [760, 820, 880, 940, 980];  // 9 to 7 points for a label

  function ground(chart, width) {
    chart.dataset.ground = width;
    chart.style.height = `${heightOf(chart) * chart.clientWidth / width}px`;
  }

  function sheetOf(chart, chapter) {
    const block = chart.closest("figure") || chart;
    return Math.round((block.getClientRects()[0].left - chapter.getBoundingClientRect().left)
      / chapter.clientWidth);
  }

  function cut(chart) {
    return (chart.closest("figure") || chart).getClientRects().length > 1;
  }

  function pull(chart, before, chapter) {
    const sheet = sheetOf(chart, chapter);
    const group = [...before.filter((one) => sheetOf(one, chapter) === sheet - 1), chart];
    const kept = group.map((one) => Number(one.dataset.ground));
    for (const width of GROUNDS) {
      group.forEach((one, at) => ground(one, Math.max(width, kept[at])));
      if (sheetOf(chart, chapter) < sheet && !cut(chart)) return;
    }
    group.forEach((one, at) => ground(one, kept[at]));
  }

  function fit(chapter) {
    const charts = [...chapter.querySelectorAll(".chart:has(.still.wide svg)")];
    chapter.classList.add("in-columns");
    for (const chart of charts) ground(chart, GROUNDS[0]);
    charts.forEach((chart, at) => {
      for (let width = GROUNDS[0]; cut(chart) && width < 2 * GROUNDS[0]; width += 20) {
        ground(chart, width);
      }
      if (sheetOf(chart, chapter) > 0) pull(chart, charts.slice(0, at), chapter);
    });
    chapter.classList.remove("in-columns");
  }

  for (const part of document.querySelectorAll(".chapter, .cover, .colophon")) prune(part);
  for (const chapter of chapters) rename(chapter, chapter.id);
  for (const chapter of chapters) countFloats(chapter);
  const addresses = [];
  for (const chapter of chapters) relink(chapter, chapter.id, addresses);
  for (const part of document.querySelectorAll(".cover, .colophon")) relink(part, "", addresses);
  for (const chapter of chapters) head(chapter);
  contents();
  listAddresses(addresses);
  for (const chapter of chapters) fit(chapter);

  for (const chart of document.querySelectorAll(".chart:has(.still.wide svg)")) still(chart);
  for (const script of document.querySelectorAll("script")) script.remove();
  document.documentElement.dataset.ready = "true";
})();
