/* Draws the charts of a page. Each chart carries two layouts: the one for its width is drawn when
   it comes into view, and again when its width, the colour scheme or the medium changes. */
(() => {
  "use strict";

  const WIDE_FROM = 620;
  /* A document made to be printed is paper from the start: its charts are drawn at once, each on a
     ground of the width it asks for. */
  const onPaper = document.documentElement.classList.contains("on-paper");
  /* A sheet is not as wide as the window it is printed from: A4 between usual margins. */
  const PAPER = 670;
  /* A higher chart would be cut between two sheets. */
  const HIGHEST = 840;
  const CONFIG = {
    displayModeBar: false, displaylogo: false, responsive: false, scrollZoom: false,
    doubleClick: false, showTips: false,
  };
  const TOKEN = /var\((--[a-z0-9-]+)\)/g;
  const layouts = new WeakMap();
  const drawn = new WeakMap();

  function layoutsOf(chart) {
    if (!layouts.has(chart)) {
      const found = {};
      for (const script of chart.querySelectorAll("script[data-layout]")) {
        found[script.dataset.layout] = script.textContent;
      }
      layouts.set(chart, found);
    }
    return layouts.get(chart);
  }

  /* Colours are names of custom properties: their values are those of the page right now. */
  function specification(chart, name) {
    const style = getComputedStyle(chart);
    const text = layoutsOf(chart)[name].replace(
      TOKEN, (whole, token) => style.getPropertyValue(token).trim() || "#888");
    return JSON.parse(text);
  }

  let announced = false;

  function printing() {
    return onPaper || announced || matchMedia("print").matches;
  }

  function scheme() {
    const medium = printing() ? "print" : "screen";
    return medium + getComputedStyle(document.documentElement).getPropertyValue("--ink");
  }

  /* A chart drawn on a wider ground is lower once it is as wide as the sheet. */
  function ground(chart) {
    const height = parseFloat(chart.style.getPropertyValue("--wide")) || 0;
    return Number(chart.dataset.ground) || Math.max(PAPER, Math.ceil(PAPER * height / HIGHEST));
  }

  function draw(chart, force) {
    const width = printing() ? ground(chart) : Math.floor(chart.clientWidth);
    if (!width || !window.Plotly) return Promise.resolve();
    const name = width >= WIDE_FROM ? "wide" : "narrow";
    const state = `${name} ${width} ${scheme()}`;
    if (!force && drawn.get(chart) === state) return Promise.resolve();
    drawn.set(chart, state);
    const spec = specification(chart, name);
    spec.layout.width = width;
    const plot = chart.querySelector(".plot");
    return window.Plotly.react(plot, spec.data, spec.layout, CONFIG).then(() => {
      /* Lets a narrower sheet scale the drawing instead of cutting it. */
      for (const svg of plot.querySelectorAll(".main-svg")) {
        svg.setAttribute("viewBox", `0 0 ${width} ${spec.layout.height}`);
      }
      chart.dataset.drawn = "true";
    });
  }

  function drawAll(charts, force) {
    return Promise.all(charts.map((chart) => draw(chart, force)));
  }

  /* A picture stands alone: it takes the title, the base and the ground along. */
  function picture(chart) {
    const wide = chart.clientWidth >= WIDE_FROM;
    const spec = specification(chart, wide ? "wide" : "narrow");
    const style = getComputedStyle(chart);
    const colour = (name) => style.getPropertyValue(name).trim();
    const width = wide ? 760 : 420;
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

  function download(chart) {
    const { spec, width, height } = picture(chart);
    return window.Plotly.downloadImage(
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

  function watch(charts) {
    const seen = new Set();
    const inView = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.add(entry.target);
        inView.unobserve(entry.target);
        draw(entry.target);
      }
    }, { rootMargin: "300px 0px" });
    const resized = new ResizeObserver((entries) => {
      for (const { target } of entries) if (seen.has(target)) draw(target);
    });
    for (const chart of charts) {
      inView.observe(chart);
      resized.observe(chart);
    }
    const redraw = () => drawAll(charts.filter((chart) => seen.has(chart)));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(
      document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    matchMedia("print").addEventListener("change", () => drawAll(charts));
    const announce = (whether) => () => {
      announced = whether;
      drawAll(charts);
    };
    window.addEventListener("beforeprint", announce(true));
    window.addEventListener("afterprint", announce(false));
  }

  function start() {
    const charts = [...document.querySelectorAll(".chart[data-chart]")];
    if (onPaper) {
      drawAll(charts).then(() => document.dispatchEvent(new Event("charts-drawn")));
      return;
    }
    if (!charts.length || !window.Plotly) return;
    buttons(charts);
    watch(charts);
  }

  if (window.Plotly && document.readyState !== "loading") start();
  else window.addEventListener("load", start);
})();
