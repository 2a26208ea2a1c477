/* The explorer: draws the question and the profile variable that the address names. Every number
   comes from the JSON of the page; every text is set as text. */
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const root = document.getElementById("explorer");
  if (!root) return;
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const { words, formats } = data;
  const find = (selector) => root.querySelector(selector);
  const selects = { q: find("#explorer-q"), by: find("#explorer-by") };
  const byId = (list) => new Map(list.map((each) => [each.id, each]));
  const questions = byId(data.questions);
  const profiles = byId(data.by);

  /* Texts and numbers ----------------------------------------------------------------------- */

  function fill(template, values) {
    return template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? values[name] : whole));
  }

  function number(value) {
    if (value === null) return formats.withheld;
    return String(value).replace(/\B(?=(\d{3})+$)/g, formats.thousands);
  }

  /* Shares come cut to a part of a whole percentage, so that halves round up as in the report. */
  function percent(share) {
    if (share === null) return formats.missing;
    return formats.percent.replace("{}", String(Math.floor(share * 100 / data.part + 0.5)));
  }

  /* A count is there wherever the estimate is released, whatever the base. */
  function shareOf(cell) {
    return cell.count === null ? formats.withheld : percent(cell.share);
  }

  function interval(cell) {
    if (cell.count === null) return formats.withheld;
    if (cell.low === null) return formats.missing;
    return fill(formats.interval, { low: percent(cell.low), high: percent(cell.high) });
  }

  function quoted(text) {
    return formats.quote.replace("{}", () => text);
  }

  function listed(items, last) {
    if (items.length < 2) return items.join("");
    return items.slice(0, -1).join(", ") + formats[last] + items[items.length - 1];
  }

  function lower(text) {
    const acronym = text.length < 2 || text[1] !== text[1].toLowerCase();
    return acronym ? text : text[0].toLowerCase() + text.slice(1);
  }

  /* The table of a choice -------------------------------------------------------------------- */

  function cellAt(at) {
    const { columns, verdicts, evidence } = data.cells;
    const [verdict, reason, told, reasons] = verdicts[columns.verdict[at]];
    const [kind, resting] = evidence[columns.evidence[at]];
    return {
      count: columns.count[at], share: columns.share[at], low: columns.share_low[at],
      high: columns.share_high[at], verdict, reason, told, reasons, kind, resting,
    };
  }

  function crossed(q, by) {
    return Object.hasOwn(questions.get(q).tables, by);
  }

  /* What a choice shows: groups with their bases, and for each answer a cell a group. */
  function viewOf(choice) {
    const question = questions.get(choice.q);
    const [places, bases, cells] = question.tables[choice.by];
    const known = choice.by ? profiles.get(choice.by).groups : [["", words.everyone]];
    const groups = places.map((place, at) => (
      { code: known[place][0], label: known[place][1], base: bases[at] }));
    const answers = question.answers.map(([code, label], place) => ({
      code, label,
      cells: groups.map((group, at) => (
        { ...cellAt(cells[at * question.answers.length + place]), group })),
    }));
    const all = answers.flatMap((answer) => answer.cells);
    return { choice, question, groups, answers, all, title: titleOf(choice) };
  }

  function titleOf({ q, by }) {
    const question = questions.get(q).name;
    if (!by) return fill(words.title_everyone, { question });
    return fill(words.title, { question, by: profiles.get(by).called });
  }

  /* Sentences -------------------------------------------------------------------------------- */

  function sentence(view) {
    const found = view.choice.by ? gap(view) : most(view);
    if (!found) return words.hidden_say;
    if (!view.all.some((cell) => cell.kind === "illustrative")) return found;
    return fill(words.illustrative_say, { say: lower(found) });
  }

  function single(view) {
    return view.answers.slice(0, view.answers.length - view.question.totals);
  }

  function most(view) {
    const shown = single(view).filter((answer) => answer.cells[0] && answer.cells[0].share !== null);
    if (!shown.length) return "";
    const top = shown.reduce((one, two) => (
      two.cells[0].share > one.cells[0].share ? two : one));
    const [cell] = top.cells;
    const values = { answer: quoted(top.label), share: percent(cell.share), interval: interval(cell) };
    return fill(words.most, values);
  }

  /* The widest gap, between estimates that are not fragile. */
  function gap(view) {
    if (view.all.every((cell) => cell.share === null)) return "";
    let widest = null;
    for (const answer of single(view)) {
      const sound = answer.cells.filter((cell) => cell.verdict === "ok");
      if (sound.length < 2) continue;
      const ranked = sound.sort((one, two) => two.share - one.share);
      const [high, low] = [ranked[0], ranked[ranked.length - 1]];
      if (!widest || high.share - low.share > widest.high.share - widest.low.share) {
        widest = { answer, high, low };
      }
    }
    if (!widest) return words.few;
    if (widest.high.share === widest.low.share) return words.level;
    return fill(words.widest, {
      answer: quoted(widest.answer.label),
      high: percent(widest.high.share), high_group: quoted(widest.high.group.label),
      low: percent(widest.low.share), low_group: quoted(widest.low.group.label),
    });
  }

  function why(view, verdict) {
    const cells = view.all.filter((cell) => cell.verdict === verdict);
    const reasons = [...new Set(cells.flatMap((cell) => cell.reasons))];
    return cells.length ? { why: reasons.length ? ` (${listed(reasons, "list_or")})` : "" } : null;
  }

  function note(view) {
    const population = view.question.population[1];
    const bases = view.groups.map((group) => group.base);
    const single = !view.choice.by && bases[0] !== null && bases.length;
    const base = single
      ? fill(words.base, { population, n: fill(words.n, { n: number(bases[0]) }) })
      : fill(words.base_alone, { population });
    const marks = ["fragile", "suppressed"].map((verdict) => {
      const found = why(view, verdict);
      return found ? fill(words[verdict], found) : "";
    });
    return [base, view.question.outside, words.line, ...marks].filter(Boolean).join(" ");
  }

  function resting(view) {
    const marked = view.all.filter((cell) => cell.kind === "illustrative");
    if (!marked.length) return "";
    if (marked.length === view.all.length) return words.illustrative;
    const labels = view.choice.by
      ? marked.map((cell) => cell.group.label)
      : view.answers.filter(({ cells }) => cells[0].kind === "illustrative").map((a) => a.label);
    return fill(words.illustrative_some, { labels: listed([...new Set(labels)], "list_last") });
  }

  /* Drawing ---------------------------------------------------------------------------------- */

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    return made;
  }

  function shape(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function across(part) {
    return `${100 * part / data.part}%`;
  }

  function bar(cell) {
    const drawing = shape("svg", { "aria-hidden": "true", focusable: "false" });
    const hidden = cell.share === null;
    drawing.append(shape("rect", { class: hidden ? "hatched" : "track", y: 3, width: "100%", height: 12 }));
    if (hidden) return drawing;
    drawing.append(shape("rect", { class: "mark", y: 3, width: across(cell.share), height: 12 }));
    if (cell.low === null) return drawing;
    /* The line is told from the bar it crosses by a ground of its own. */
    for (const name of ["ground", "ends"]) {
      drawing.append(shape("line", {
        class: name, x1: across(cell.low), x2: across(cell.high), y1: 9, y2: 9,
      }));
    }
    return drawing;
  }

  function line(cell, label, base) {
    const row = element("div", null, { class: `line ${cell.verdict}` });
    const name = element("span", label, { class: "name" });
    if (base !== null) {
      name.append(" ", element("span", fill(words.n, { n: number(base) }), { class: "base" }));
    }
    const counted = fill(formats.fraction, { count: number(cell.count), total: number(cell.group.base) });
    row.title = cell.share === null
      ? `${label} – ${cell.told}`
      : [`${label} – ${shareOf(cell)}`, counted, interval(cell), cell.told].filter(Boolean).join(", ");
    row.append(name, bar(cell), element("span", shareOf(cell), { class: "value" }));
    return row;
  }

  function bars(view) {
    const drawn = view.choice.by ? view.answers.map(byGroup) : view.answers.map(alone);
    const totals = drawn.length - view.question.totals;
    if (totals < drawn.length) drawn.splice(totals, 0, element("p", words.totals, { class: "totals" }));
    return drawn;
  }

  function byGroup({ label, cells }) {
    const block = element("div", null, { class: "block" });
    block.append(element("p", label, { class: "answer" }));
    block.append(...cells.map((cell) => line(cell, cell.group.label, cell.group.base)));
    return block;
  }

  function alone({ label, cells }) {
    const block = element("div", null, { class: "above" });
    block.append(...cells.map((cell) => line(cell, label, null)));
    return block;
  }

  /* Labels take the room that the longest needs, up to what the sheet of styles allows. */
  function room(view) {
    const lengths = view.groups.map(({ label, base }) => label.length + number(base).length + 5);
    return `${Math.max(...lengths)}ch`;
  }

  /* The pattern of what is not released stands once in the page. */
  function hatching() {
    const drawing = shape("svg", { class: "patterns", "aria-hidden": "true", focusable: "false" });
    const pattern = shape("pattern", {
      id: "explorer-hatching", width: 6, height: 6, patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    });
    pattern.append(shape("rect", { class: "track", width: 6, height: 6 }));
    pattern.append(shape("rect", { class: "stroke", width: 1.2, height: 6 }));
    drawing.append(pattern);
    root.append(drawing);
  }

  const COLUMNS = ["share", "interval", "count", "base_n", "verdict", "evidence"];
  const NUMERIC = COLUMNS.slice(0, 4);

  function values(cell) {
    return {
      share: shareOf(cell), interval: interval(cell), count: number(cell.count),
      base_n: number(cell.group.base), verdict: cell.told, evidence: cell.resting,
    };
  }

  function tableRow(cell, label) {
    const row = element("tr", null);
    const shown = values(cell);
    row.append(element("th", label, { scope: "row" }), ...COLUMNS.map((name) => (
      element("td", shown[name], NUMERIC.includes(name) ? { class: "num" } : {}))));
    return row;
  }

  function head(view) {
    const row = element("tr", null);
    const first = words[view.choice.by ? "column_series" : "column_label"];
    row.append(element("th", first, { scope: "col" }), ...COLUMNS.map((name) => element(
      "th", words[`column_${name}`],
      { scope: "col", ...(NUMERIC.includes(name) ? { class: "num" } : {}) })));
    const found = element("thead", null);
    found.append(row);
    return found;
  }

  function section(label) {
    const cell = element("th", null, { scope: "rowgroup", colspan: COLUMNS.length + 1 });
    cell.append(element("span", label));
    const row = element("tr", null);
    row.append(cell);
    return row;
  }

  function table(view) {
    const made = element("table", null);
    made.append(element("caption", view.title), head(view));
    if (view.choice.by) {
      for (const { label, cells } of view.answers) {
        const body = element("tbody", null);
        body.append(section(label), ...cells.map((cell) => tableRow(cell, cell.group.label)));
        made.append(body);
      }
    } else {
      const body = element("tbody", null);
      body.append(...view.answers.map(({ label, cells }) => tableRow(cells[0], label)));
      made.append(body);
    }
    return made;
  }

  /* CSV -------------------------------------------------------------------------------------- */

  const HEAD = [
    "question", "answer_label", "group_label", "variable", "population", "category", "by",
    "by_category", "base_n", "count", "share", "share_low", "share_high", "method", "verdict",
    "reason", "evidence",
  ];

  function field(value) {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    /* A text that begins like a formula is one to a spreadsheet: the rule of analysis/plain.py. */
    const bare = value.replace(/^'+/, "");
    const computed = /^(?:[ \t\r\n\u00a0\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/.test(bare)
      && !/^[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?\s?%?$/.test(bare);
    const safe = computed ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  }

  function share(part) {
    return part === null ? null : part / data.part;
  }

  function csv(view) {
    const { question, choice } = view;
    const rows = view.answers.flatMap(({ code, label, cells }) => cells.map((cell) => [
      question.text, label, choice.by ? cell.group.label : "", question.variable,
      question.population[0], code, choice.by, cell.group.code, cell.group.base, cell.count,
      share(cell.share), share(cell.low), share(cell.high), words.method, cell.verdict,
      cell.reason, cell.kind,
    ]));
    return [HEAD, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
  }

  /* The page --------------------------------------------------------------------------------- */

  function link(place, text, name, href) {
    place.textContent = text;
    place.setAttribute("aria-label", name);
    place.href = href;
  }

  function say(place, text) {
    if (place.textContent !== text) place.textContent = text;
  }

  function show(choice, message) {
    const view = viewOf(choice);
    const { title } = view;
    selects.q.value = choice.q;
    for (const option of selects.by.options) option.disabled = !crossed(choice.q, option.value);
    selects.by.value = choice.by;
    find("#explorer-title").textContent = title;
    const { name, text, section: place } = view.question;
    find(".q").textContent = text === name ? place : text;
    const evidence = find(".evidence");
    evidence.textContent = resting(view);
    evidence.hidden = !evidence.textContent;
    find(".bars").style.setProperty("--label", room(view));
    find(".bars").replaceChildren(...bars(view));
    say(find(".say"), sentence(view));
    say(find(".explorer-message"), message);
    find(".note").textContent = note(view);
    const region = find(".scroll");
    region.setAttribute("aria-label", fill(words.table_of, { title }));
    region.replaceChildren(table(view));
    const file = find("a.csv");
    file.download = `${[data.study, choice.q, choice.by].filter(Boolean).join("-")}.csv`;
    link(file, words.csv, fill(words.csv_of, { title }),
      `data:text/csv;charset=utf-8,${encodeURIComponent(`\ufeff${csv(view)}`)}`);
    link(find("a.self"), "#", fill(words.link_of, { title }), address(choice));
    for (const other of document.querySelectorAll(".languages a")) other.hash = address(choice);
  }

  /* The address ------------------------------------------------------------------------------ */

  function address({ q, by }) {
    return `#${new URLSearchParams(by ? { q, by } : { q })}`;
  }

  /* Anchors of the page are addresses too: they name no choice, and change nothing. */
  function named() {
    const asked = new URLSearchParams(location.hash.slice(1));
    return asked.has("q") || asked.has("by") ? asked : null;
  }

  function follow() {
    const asked = named();
    if (asked) showNamed(asked);
    else if (!location.hash) show(data.first, "");
  }

  function showNamed(asked) {
    const q = questions.has(asked.get("q")) ? asked.get("q") : data.first.q;
    const wanted = asked.get("by") || "";
    const by = crossed(q, wanted) ? wanted : "";
    const known = q === asked.get("q") && by === wanted;
    const choice = { q, by };
    show(choice, known ? "" : fill(words.unknown, { title: titleOf(choice) }));
  }

  function choose() {
    const q = selects.q.value;
    const by = crossed(q, selects.by.value) ? selects.by.value : "";
    const chosen = address({ q, by });
    if (location.hash === chosen) show({ q, by }, "");
    else location.hash = chosen;
  }

  hatching();
  for (const select of Object.values(selects)) select.addEventListener("change", choose);
  for (const part of root.querySelectorAll(".choice, .bars, .fig-foot")) part.hidden = false;
  window.addEventListener("hashchange", follow);
  if (named()) follow();
  else show(data.first, "");
})();
