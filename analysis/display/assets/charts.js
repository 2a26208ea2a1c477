/* Makes charts answer to the pointer. A page shows each chart drawn already, in two layouts; plotly
   is loaded when a reader first points at one, or asks for its picture, and draws that one again
   with its hover text. Where the width or the colours change, the still chart takes its place. */
(() => {
  "use strict";

  const WIDE_FROM = 620;
  const PLOTLY = new URL("plotly.min.js", document.currentScript.src).href;
  const CONFIG = {
    displayModeBar: false, displaylogo: false, responsive: false, scrollZoom: false,
    doubleClick: false, showTips: false,
  };
  const TOKEN = /^var\((--[a-z0-9-]+)\)$/;
  const STYLED = /(<span style="[^"]*)var\((--[a-z0-9-]+)\)/g;
  let plotly = null;

  /* Resolves to plotly, which is asked for once; where it cannot be had, the next try asks again. */
  function load() {
    plotly ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = PLOTLY;
      script.onload = () => done(window.Plotly);
      script.onerror = () => {
        plotly = null;
        script.remove();
        failed(new Error(`${PLOTLY} cannot be loaded`));
      };
      document.head.append(script);
    });
    return plotly;
  }

  /* Colours are names of custom properties: their values are those of the page right now. A text
     is left as it is but for the colour of a softer part of it. */
  function specification(chart, name) {
    const style = getComputedStyle(chart);
    const source = chart.querySelector(`script[data-layout="${name}"]`).textContent;
    const colour = (token) => style.getPropertyValue(token).trim() || "#888";
    return JSON.parse(source, (key, value) => {
      if (typeof value !== "string") return value;
      if (key === "text") return value.replace(STYLED, (whole, before, token) => before + colour(token));
      return TOKEN.test(value) ? colour(value.match(TOKEN)[1]) : value;
    });
  }

  function layoutName(width) {
    return width >= WIDE_FROM ? "wide" : "narrow";
  }

  async function draw(chart) {
    const { Plotly, width } = { Plotly: await load(), width: chart.clientWidth };
    if (!width || chart.dataset.drawn) return;
    const spec = specification(chart, layoutName(width));
    spec.layout.width = width;
    await Plotly.react(chart.querySelector(".plot"), spec.data, spec.layout, CONFIG);
    chart.dataset.drawn = String(width);
  }

  /* Back to the still chart, which fits any width and any colours. */
  function release(chart) {
    if (!chart.dataset.drawn) return;
    delete chart.dataset.drawn;
    window.Plotly.purge(chart.querySelector(".plot"));
  }

  /* The pointer came before plotly did: it is told where the pointer is now. */
  function point(chart, { x, y }) {
    const under = document.elementFromPoint(x, y);
    if (!under || !chart.contains(under)) return;
    under.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX: x, clientY: y }));
  }

  function follow(chart) {
    const last = { x: 0, y: 0 };
    const note = (event) => Object.assign(last, { x: event.clientX, y: event.clientY });
    chart.addEventListener("pointermove", note);
    chart.addEventListener("pointerenter", (event) => {
      note(event);
      if (!chart.dataset.drawn) draw(chart).then(() => point(chart, last), () => {});
    });
  }

  /* A picture stands alone: it takes the title, the base and the ground along. */
  function picture(chart) {
    const name = layoutName(chart.clientWidth);
    const spec = specification(chart, name);
    const style = getComputedStyle(chart);
    const colour = (token) => style.getPropertyValue(token).trim();
    const width = name === "wide" ? 760 : 420;
    const pad = 24;
    const { layout } = spec;
    const family = layout.font.family;
    const title = cut(chart.dataset.title, width - 2 * pad, `700 18px ${family}`);
    const note = cut(chart.dataset.note, width - 2 * pad, `12px ${family}`);
    const top = pad + title.length * 24 + 14;
    const bottom = pad + note.length * 16 + 14;
    const margin = layout.margin;
    layout.annotations = (layout.annotations || []).concat([
      {
        text: `<b>${title.join("<br>")}</b>`, x: 0, y: 1, xref: "paper", yref: "paper",
        xanchor: "left", yanchor: "top", xshift: -margin.l, yshift: top - pad, showarrow: false,
        align: "left", font: { size: 18, color: colour("--ink") },
      },
      {
        text: note.join("<br>"), x: 0, y: 0, xref: "paper", yref: "paper", xanchor: "left",
        yanchor: "bottom", xshift: -margin.l, yshift: -(bottom - pad), showarrow: false,
        align: "left", font: { size: 12, color: colour("--soft") },
      },
    ]);
    layout.margin = { ...margin, l: margin.l + pad, r: margin.r + pad, t: top, b: bottom };
    layout.height += top + bottom;
    layout.width = width;
    layout.paper_bgcolor = colour("--paper");
    return { spec, width, height: layout.height };
  }

  function cut(text, width, font) {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    const lines = [];
    for (const word of text.split(" ")) {
      const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
      if (lines.length && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.map(escaped);
  }

  /* Plotly reads a little HTML in its texts. */
  function escaped(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  async function download(chart) {
    const Plotly = await load();
    const { spec, width, height } = picture(chart);
    return Plotly.downloadImage(
      { data: spec.data, layout: spec.layout },
      { format: "png", scale: 2, width, height, filename: chart.dataset.chart });
  }

  function buttons(charts) {
    const byName = new Map(charts.map((chart) => [chart.dataset.chart, chart]));
    for (const button of document.querySelectorAll("button[data-image]")) {
      const chart = byName.get(button.dataset.image);
      if (!chart) continue;
      button.hidden = false;
      button.addEventListener("click", () => download(chart));
    }
  }

  const charts = [...document.querySelectorAll(".chart[data-chart]")];
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const width = target.clientWidth;
      if (width && target.dataset.drawn !== String(width)) release(target);
    }
  });
  const recoloured = () => charts.forEach(release);
  for (const chart of charts) {
    follow(chart);
    resized.observe(chart);
  }
  buttons(charts);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recoloured);
  new MutationObserver(recoloured).observe(
    document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
})();
