-- The one filter of both engines: what a page is made of beyond plain Markdown (floats, cross
-- references, callouts, tabs, headline, navigation) becomes the same HTML whether Quarto runs it
-- (`at: pre-ast`, so before its own processing) or pandoc alone does.
--
-- What a page needs to know of the study and of the other pages is in context.json, written by
-- analysis/publish/stage.py.

local stringify = pandoc.utils.stringify
local NBSP = "\u{a0}"
local KINDS = { fig = "figure", tbl = "table" }

local context, page
local floats, sections, references = {}, {}, {}
local has_chart = false

-- context ------------------------------------------------------------------------------------

local function read(path)
  local handle = io.open(path, "r")
  if handle == nil then return nil end
  local text = handle:read("a")
  handle:close()
  return text
end

-- Beside the pages when they are staged; under data/clean for a plain `quarto render` of the root.
local function context_text()
  local root = quarto and quarto.project and quarto.project.directory or "."
  local staged = string.format("data/clean/%s/pages/%s/context.json",
    os.getenv("LEARNER_SURVEY_STUDY") or "", os.getenv("LEARNER_SURVEY_LANG") or "")
  return read("context.json") or read(root .. "/context.json") or read(root .. "/" .. staged)
    or error("context.json was not found: render through `python -m analysis report`")
end

local function input_name()
  local path = quarto and quarto.doc and quarto.doc.input_file or PANDOC_STATE.input_files[1]
  return (path:gsub("\\", "/"):match("([^/]+)%.[^./]+$"))
end

local function fail(message)
  error("PAGE " .. page .. ".qmd: " .. message, 0)
end

-- Quarto takes {{< and >}} in metadata for a command of its own, though each of their signs was
-- escaped: in pieces they are text.
local function no_command(str)
  if not quarto or not (str.text:find("{{<", 1, true) or str.text:find(">}}", 1, true)) then return end
  local pieces = pandoc.List()
  for text, sign in str.text:gmatch("([^<>]*)([<>]?)") do
    if text ~= "" then pieces:insert(pandoc.Str(text)) end
    if sign ~= "" then pieces:insert(pandoc.Str(sign)) end
  end
  return pieces
end

local function markdown(text)
  local read = pandoc.read(text, "markdown-auto_identifiers").blocks
  return pandoc.utils.blocks_to_inlines(read):walk({ Str = no_command })
end

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function html(text)
  return pandoc.RawBlock("html", text)
end

-- cells --------------------------------------------------------------------------------------

local function has(div, class)
  return div.classes:includes(class)
end

local function float_kind(id)
  local kind = id:match("^(%a+)%-")
  return KINDS[kind] and kind or nil
end

-- A cell's outputs stand in the page as if they had been written there. The wrappers that carry
-- a label stay, as the float they are.
local function unwrap(div)
  if has(div, "cell") then
    if not float_kind(div.identifier) then return div.content end
    local caption = div.attributes["tbl-cap"] or div.attributes["fig-cap"]
    if caption then div.content:insert(pandoc.Para(markdown(caption))) end
    return pandoc.Div(div.content, pandoc.Attr(div.identifier))
  end
  if has(div, "cell-output-stdout") or has(div, "cell-output-stderr") then return nil end
  if has(div, "cell-output") then
    if float_kind(div.identifier) then
      return pandoc.Div(div.content, pandoc.Attr(div.identifier))
    end
    return div.content
  end
end

-- An expression in a sentence whose value is empty: Quarto leaves its code standing, and so does
-- our own engine, lest the line it was on cut the paragraph in two.
local function without_value(code)
  if code.text:match("^{python}%s") then return {} end
end

-- passages that a study does not have --------------------------------------------------------

local dropped = {}

local function holds(words)
  for word in (words or ""):gmatch("%S+") do
    if not context.holds[word] then return false end
  end
  return true
end

-- Staged pages have none left (analysis/publish/only.py); a plain `quarto render` has them all.
local function passage(div)
  if not has(div, "only-if") then return nil end
  for word in (div.attributes.lacks or ""):gmatch("%S+") do
    if context.holds[word] then return {} end
  end
  return holds(div.attributes.has) and div.content or {}
end

local function says_nothing(block)
  if block.t == "Para" or block.t == "Plain" then
    for _, inline in ipairs(block.content) do
      if inline.t ~= "Space" and inline.t ~= "SoftBreak" then return false end
    end
    return true
  end
  return block.t == "Div" and block.identifier == "" and #block.content == 0
end

-- The notes at the end are about the page as a whole; Quarto's own boxes, which it puts after them
-- to carry its navigation and takes out again, are about nothing a reader sees.
local function beside_the_text(block)
  return block.t == "Div"
    and (block.identifier == "tbl-cited" or block.identifier:match("^quarto%-") ~= nil)
end

-- A heading under which nothing stands is left out, and so is a panel or a lead without content:
-- what it was about is not in the study.
local function filled(blocks)
  local kept, content, below = pandoc.Blocks({}), false, 0
  for at = #blocks, 1, -1 do
    local block = blocks[at]
    if block.t == "Div" and block.identifier == "" then block.content = filled(block.content) end
    if block.t == "Header" and block.level > 1 then
      if content or below > block.level then
        kept:insert(1, block)
        content, below = false, block.level
      else
        dropped[block.identifier] = true
      end
    elseif not says_nothing(block) then
      kept:insert(1, block)
      content = content or not beside_the_text(block)
    end
  end
  return kept
end

-- floats and cross references ----------------------------------------------------------------

local counts = { fig = 0, tbl = 0 }

local function number_float(id)
  local kind = float_kind(id)
  if kind == nil then return end
  if floats[id] then fail("two floats are called " .. id) end
  counts[kind] = counts[kind] + 1
  floats[id] = context.texts[KINDS[kind]] .. NBSP .. counts[kind]
end

local function table_label(tbl)
  local last = tbl.caption.long[#tbl.caption.long]
  if last == nil then return tbl.identifier end
  local tail = last.content[#last.content]
  return tail and tail.t == "Str" and tail.text:match("^{#(tbl%-[%w_-]+)}$") or tbl.identifier
end

local function strip_table_label(tbl)
  local last = tbl.caption.long[#tbl.caption.long]
  local tail = last and last.content[#last.content]
  if tail and tail.t == "Str" and tail.text:match("^{#tbl%-") then
    last.content:remove()
    if #last.content > 0 and last.content[#last.content].t == "Space" then last.content:remove() end
  end
end

local function float(id, caption, body, classes)
  local label = floats[id]
  local head = pandoc.Inlines({ pandoc.RawInline("html", '<span class="float-number">') })
  head:extend({ pandoc.Str(label), pandoc.Str(NBSP .. "·"), pandoc.Space() })
  head:insert(pandoc.RawInline("html", "</span>"))
  head:extend(caption)
  local names = pandoc.List({ "quarto-float", "quarto-float-" .. float_kind(id) })
  names:extend(classes or {})
  local blocks = pandoc.Blocks({
    html(string.format('<figure id="%s" class="%s">', id, table.concat(names, " "))),
    html('<figcaption class="quarto-float-caption">'),
    pandoc.Plain(head),
    html("</figcaption>"),
  })
  blocks:extend(body)
  blocks:insert(html("</figure>"))
  return blocks
end

local function float_div(div)
  if not floats[div.identifier] then return nil end
  local body = pandoc.Blocks(div.content)
  local last = body[#body]
  if last == nil or (last.t ~= "Para" and last.t ~= "Plain") then
    fail(div.identifier .. " has no caption: its last paragraph")
  end
  body:remove()
  return float(div.identifier, last.content, body, div.classes)
end

local function float_figure(figure)
  if not floats[figure.identifier] then return nil end
  local caption = pandoc.utils.blocks_to_inlines(figure.caption.long)
  return float(figure.identifier, caption, figure.content)
end

local function wide(tbl)
  return { html('<div class="table-wrap" tabindex="0">'), tbl, html("</div>") }
end

local function float_table(tbl)
  local id = table_label(tbl)
  if not floats[id] then return wide(tbl) end
  strip_table_label(tbl)
  local caption = pandoc.utils.blocks_to_inlines(tbl.caption.long)
  tbl.caption = pandoc.Caption()
  tbl.identifier = ""
  return float(id, caption, pandoc.Blocks(wide(tbl)))
end

local function reference(citation)
  local id = citation.id:sub(1, 1):lower() .. citation.id:sub(2)
  local text
  if id:match("^sec%-") then
    text = sections[id]
  elseif float_kind(id) then
    text = floats[id] and { pandoc.Str(floats[id]) }
  else
    return nil
  end
  if text == nil then fail("nothing is called @" .. citation.id) end
  if citation.mode == "SuppressAuthor" and floats[id] then
    text = { pandoc.Str((floats[id]:gsub("^.*" .. NBSP, ""))) }
  end
  return pandoc.Link(text, "#" .. id, "", pandoc.Attr("", { "quarto-xref" }))
end

local function resolve(cite)
  local found = pandoc.Inlines({})
  for _, citation in ipairs(cite.citations) do
    local link = reference(citation)
    if link == nil then return nil end
    if #found > 0 then found:extend({ pandoc.Str(","), pandoc.Space() }) end
    found:insert(link)
  end
  return found
end

-- callouts and tabs --------------------------------------------------------------------------

local callouts, tabsets = 0, 0

local function callout_kind(div)
  for _, class in ipairs(div.classes) do
    local kind = class:match("^callout%-(%a+)$")
    if kind then return kind end
  end
end

local function callout(div)
  local kind = callout_kind(div)
  if kind == nil then return nil end
  local default = context.texts.callouts[kind] or fail("no callout is called " .. kind)
  callouts = callouts + 1
  local id = "callout-" .. callouts
  local body = pandoc.Blocks(div.content)
  local title = div.attributes.title and markdown(div.attributes.title)
  if not title and body[1] and body[1].t == "Header" then
    title = body[1].content
    body:remove(1)
  end
  title = title or pandoc.Inlines({ pandoc.Str(default) })
  local folds = div.attributes.collapse == "true"
  local open, shut = '<p class="callout-title" id="%s">', "</p>"
  if folds then open, shut = '<details><summary class="callout-title" id="%s">', "</summary>" end
  local blocks = pandoc.Blocks({
    html(string.format('<aside class="callout callout-%s" aria-labelledby="%s">', kind, id)),
    html(string.format(open, id)), pandoc.Plain(title), html(shut),
  })
  blocks:extend(body)
  blocks:insert(html((folds and "</details>" or "") .. "</aside>"))
  -- A native wrapper keeps pandoc from opening a section inside the aside and closing it outside.
  return pandoc.Div(blocks, pandoc.Attr("", { "callout-wrap" }))
end

local function panels_of(div)
  local panels, level = {}, nil
  for _, block in ipairs(div.content) do
    if block.t == "Header" and (level == nil or block.level == level) then
      level = block.level
      table.insert(panels, { title = block.content, id = block.identifier, body = pandoc.Blocks({}) })
    elseif #panels > 0 then
      panels[#panels].body:insert(block)
    else
      fail("a .panel-tabset starts with a heading")
    end
  end
  return panels
end

local function tab_button(panel, tab, first)
  return pandoc.Inlines({
    pandoc.RawInline("html", string.format(
      '<button type="button" role="tab" id="%s" aria-controls="%s" aria-selected="%s" tabindex="%s">',
      tab, escape(panel.id), first and "true" or "false", first and "0" or "-1")),
    pandoc.Span(panel.title),
    pandoc.RawInline("html", "</button>"),
  })
end

-- Panels are all open and titled until page.js turns them into tabs: without it, and on paper,
-- nothing is hidden.
local function tabset(div)
  if not has(div, "panel-tabset") then return nil end
  local panels = panels_of(div)
  if #panels == 1 then
    panels[1].body:insert(1, pandoc.Header(3, panels[1].title, pandoc.Attr(panels[1].id)))
    return panels[1].body
  end
  tabsets = tabsets + 1
  local buttons, bodies = pandoc.Inlines({}), pandoc.Blocks({})
  for number, panel in ipairs(panels) do
    if panel.id == "" then panel.id = "panel-" .. tabsets .. "-" .. number end
    local tab = "tab-" .. tabsets .. "-" .. number
    buttons:extend(tab_button(panel, tab, number == 1))
    panel.body:insert(1, html('<p class="tab-title">'))
    panel.body:insert(2, pandoc.Plain(panel.title))
    panel.body:insert(3, html("</p>"))
    bodies:insert(pandoc.Div(panel.body, pandoc.Attr(panel.id, { "tab-panel" },
      { { "role", "tabpanel" }, { "aria-labelledby", tab } })))
  end
  local content = pandoc.Blocks({
    html('<div class="tab-list" role="tablist" hidden>'), pandoc.Plain(buttons), html("</div>"),
  })
  content:extend(bodies)
  return pandoc.Div(content, pandoc.Attr("", { "tabset" }))
end

-- links and typography -----------------------------------------------------------------------

local function internal(target)
  local stem, rest = target:match("^%.?/?([%w_-]+)%.qmd(#?.*)$")
  if stem == nil then return nil end
  if context.left_out[stem] then return false end
  if not context.pages[stem] then fail("a link goes to " .. stem .. ".qmd, which is not a page") end
  return stem .. ".html" .. rest
end

local function external(link)
  local number = references[link.target]
  if number == nil then
    table.insert(references, link.target)
    number = #references
    references[link.target] = number
  end
  return { link, pandoc.RawInline("html", '<sup class="link-number">' .. number .. "</sup>") }
end

local function relink(link)
  if dropped[link.target:match("^#(.+)$")] then return link.content end
  local target = internal(link.target)
  if target == false then return link.content end
  if target then
    link.target = target
    return link
  end
  if link.target:match("^https?://") then return external(link) end
end

-- French sets ; : ? ! » and % off by a no-break space, and « from what follows.
local function french(inlines)
  for at = 1, #inlines - 1 do
    local one, two = inlines[at], inlines[at + 1]
    if one.t == "Space" and two.t == "Str" and two.text:match("^[;:?!%%]") then
      inlines[at] = pandoc.Str(NBSP)
    elseif one.t == "Space" and two.t == "Str" and two.text:sub(1, 2) == "»" then
      inlines[at] = pandoc.Str(NBSP)
    elseif one.t == "Str" and one.text:match("«$") and two.t == "Space" then
      inlines[at + 1] = pandoc.Str(NBSP)
    end
  end
  return inlines
end

-- page ---------------------------------------------------------------------------------------

local function headline_of(doc)
  for at, block in ipairs(doc.blocks) do
    if block.t == "Header" and block.level == 1 then
      doc.blocks:remove(at)
      return block.content
    end
  end
end

local function contents_of(doc)
  local found = pandoc.List({})
  for _, block in ipairs(doc.blocks) do
    if block.t == "Header" and block.level == 2 and not block.classes:includes("unlisted") then
      found:insert({ id = block.identifier, title = block.content })
    end
  end
  return found
end

local function navigation(doc)
  local nav, current = pandoc.List({}), nil
  for at, entry in ipairs(context.nav) do
    local item = { href = entry.href, title = entry.title }
    if entry.page == page then
      current = at
      item.current = true
      local contents = contents_of(doc)
      if #contents > 1 then item.contents = contents end
    end
    nav:insert(item)
  end
  return nav, current
end

local function set_meta(doc, headline)
  local meta = doc.meta
  local title = meta.title and stringify(meta.title) or page
  local nav, current = navigation(doc)
  meta.page = page
  meta.language = context.lang
  meta.window = title .. " – " .. context.brand
  meta.brand, meta.field = context.brand, context.field
  meta.texts = context.texts
  meta.languages = #context.languages > 0 and context.languages or nil
  for _, language in ipairs(context.languages) do
    language.href = language.folder .. (language.pages[page] and page or "index") .. ".html"
    language.pages = nil
  end
  -- A null of JSON is a value in Lua, not nil.
  meta.banner = type(context.banner) == "string" and markdown(context.banner) or nil
  meta.footer = pandoc.List(context.footer):map(function(line)
    return pandoc.Plain(markdown(line)):walk({ Link = relink })
  end)
  meta.kicker = meta.kicker or (headline and current ~= 1 and title) or context.kicker
  meta.headline = headline or title
  meta.nav = nav
  meta.previous = current and context.nav[current - 1]
  meta.next = current and context.nav[current + 1]
  meta.charts = has_chart or nil
  meta.references = #references > 0 and pandoc.List(references) or nil
end

-- Code is shown in one colour: nothing in these pages is read for its syntax.
local function plain_code(code)
  code.classes = {}
  return code
end

local function notice_chart(raw)
  if raw.format == "html" and raw.text:match('class="[^"]*chart') then has_chart = true end
end

function Pandoc(doc)
  context = pandoc.json.decode(context_text(), false)
  page = input_name()
  doc = doc:walk({ Div = unwrap, Code = without_value })
  doc = doc:walk({ Div = passage })
  doc.blocks = filled(doc.blocks)
  doc:walk({
    traverse = "topdown",
    Div = function(div) number_float(div.identifier) end,
    Figure = function(figure) number_float(figure.identifier) end,
    Table = function(tbl) number_float(table_label(tbl)) end,
    Header = function(header) sections[header.identifier] = header.content end,
    RawBlock = notice_chart,
  })
  doc = doc:walk({ Cite = resolve, Link = relink, CodeBlock = plain_code })
  if context.lang == "fr" then doc = doc:walk({ Inlines = french }) end
  doc = doc:walk({ Div = function(div) return callout(div) or tabset(div) end })
  doc = doc:walk({ Div = float_div, Figure = float_figure, Table = float_table })
  local headline = headline_of(doc)
  set_meta(doc, headline)
  return doc
end
